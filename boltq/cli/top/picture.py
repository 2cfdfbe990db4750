"""How `boltq top` looks: lines that fit the terminal, 80 columns and 24 rows at least."""

from collections.abc import Iterator
from typing import NamedTuple

from rich.console import Group
from rich.text import Text

from boltq import __version__
from boltq.cli.screen import age, printable
from boltq.cli.tables import COLOURS
from boltq.cli.top.board import Board
from boltq.job import moment_of

LATE_SECONDS, TOO_LATE_SECONDS = 10.0, 60.0
"""From when on a wait is yellow, and red."""

KEYS = "↑↓ choose  p pause or resume  r replay its dead  tab workers  space hold  q quit"
COUNTS = ("queued", "running", "retrying", "dead")
_HEADING = (*COUNTS, "in/s", "done/s", "fail/s")
_FRAME = 8
"""Lines that are always there: title, counts, two headings, messages, keys, and two between."""

_BIG, _SMALL = 100_000, 10


class Shown(NamedTuple):
    """What is chosen, and what is said: the queue, the pane below, a message, what is wrong."""

    queue: str
    pane: str
    message: str
    trouble: str
    is_held: bool


def draw(board: Board, server: str, shown: Shown, columns: int, rows: int) -> Group:
    """Return the whole screen."""
    lists = max(2, rows - _FRAME)
    upper = min(max(len(board.queues), 1), max(lists // 2, lists - 10))
    below = _workers(board) if shown.pane == "workers" else _running(board)
    lines = [
        _title(board, server, shown),
        _counts(board),
        Text(),
        _row(("queue", "wait", *_HEADING), columns, style="bold"),
        *_padded(_queues(board, shown.queue, columns, upper), upper),
        Text(),
        *_padded(below, lists - upper + 1),
        Text(printable(shown.trouble or shown.message), style="bold red" if shown.trouble else ""),
        Text(KEYS, style="dim"),
    ]
    for line in lines:
        line.no_wrap, line.overflow = True, "ellipsis"
        line.truncate(columns, overflow="ellipsis")
    return Group(*lines)


def number(value: float) -> str:
    """Write a count, or how many a second, in six characters at most."""
    if value >= _BIG:
        return f"{value / 1000:.0f}k" if value < _BIG * 10 else f"{value / 1e6:.4g}M"
    return f"{value:.0f}" if value >= _SMALL or value == int(value) else f"{value:.1f}"


def _title(board: Board, server: str, shown: Shown) -> Text:
    clock = moment_of(board.now_ms).strftime("%H:%M:%S") if board.now_ms else "--:--:--"
    alive = [worker for worker in board.workers if worker.alive]
    threads, held = (sum(getattr(one, name) for one in alive) for name in ("threads", "in_hand"))
    workers = f"{len(alive)} worker{'' if len(alive) == 1 else 's'}, {held} jobs, {threads} threads"
    text = Text(style="")
    text.append(f"BoltQ {__version__}", style="bold").append(f"  {clock} UTC  ")
    text.append(workers, style="" if alive else "bold red")
    if shown.is_held:
        text.append("  held: space goes on", style="yellow")
    return text.append(f"  {printable(server)}", style="dim")


def _counts(board: Board) -> Text:
    line = Text()
    for name in ("scheduled", *COUNTS):
        line.append(f"{name} ").append(
            f"{number(board.total(name))}  ", style=COLOURS[name] if board.total(name) else "dim"
        )
    return line


def _row(cells: tuple[str, ...], columns: int, style: str = "") -> Text:
    widths = (7, 8, 8, 9, 7, 8, 8, 7)
    first = max(8, columns - sum(widths))
    name, *rest = cells
    name = f"{name[: first - 2]}…" if len(name) >= first else name
    numbers = "".join(cell.rjust(width) for cell, width in zip(rest, widths, strict=True))
    return Text(f"{name:<{first}}{numbers}", style=style)


def _queues(board: Board, chosen: str, columns: int, room: int) -> Iterator[Text]:
    names = [queue.name for queue in board.queues]
    at = names.index(chosen) if chosen in names else 0
    begin = max(0, min(at - room // 2, len(names) - room))
    for queue in board.queues[begin : begin + room]:
        stats = queue.stats
        wait = "paused" if stats.paused else age(queue.wait_seconds) if stats.queued else "-"
        counts = (number(getattr(stats, name)) for name in COUNTS)
        cells = (queue.name, wait, *counts, *map(number, queue.rates))
        line = _row(cells, columns, "reverse" if queue.name == chosen else "")
        width = max(8, columns - 62) + 7
        if stats.paused or queue.wait_seconds >= LATE_SECONDS:
            is_red = not stats.paused and queue.wait_seconds >= TOO_LATE_SECONDS
            line.stylize("bold red" if is_red else "yellow", width - 7, width)
        yield line
    if not names:
        yield Text("No queue has been used yet.", style="dim")


def _running(board: Board) -> Iterator[Text]:
    yield Text("  runs  job, and its worker", style="bold")
    for job in board.running:
        yield Text(f"{age(job.seconds):>6}  {printable(f'{job.type}({job.id})  {job.worker}')}")
    if not board.running:
        yield Text("No handler runs.", style="dim")


def _workers(board: Board) -> Iterator[Text]:
    yield Text("  jobs threads   worked     seen  worker", style="bold")
    for worker in board.workers:
        seen = age(board.now_ms / 1000 - worker.seen_at.timestamp())
        counts = f"{worker.in_hand:>6}{worker.threads:>8}{number(worker.worked):>9}{seen:>9}"
        status = worker.status if worker.alive else "silent"
        line = Text(f"{counts}  {printable(worker.id)}")
        if status != "working":
            line.append(f"  {status}", style=COLOURS[status])
        yield line
    if not board.workers:
        yield Text("No worker is there.", style="dim")


def _padded(lines: Iterator[Text], room: int) -> Iterator[Text]:
    """Give so many lines, whatever there are."""
    for _ in range(room):
        yield next(lines, None) or Text()
