"""The loop of `boltq top`: look, draw, hear a key."""

import getpass
import sys
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING

from rich.console import Console
from rich.live import Live

from boltq.cli.top import picture
from boltq.cli.top.board import Board, Queue, look
from boltq.cli.top.keys import CLOSED, Read, pressed
from boltq.errors import BoltQError

if TYPE_CHECKING:
    from boltq.client import BoltQ

RESIZE_SECONDS = 0.5
"""How soon the screen follows a terminal that has got another size."""


class Top:
    """The screen over a client. every_seconds: from one look at the server to the next."""

    def __init__(self, boltq: "BoltQ", every_seconds: float) -> None:
        self._boltq = boltq
        self._every_seconds = every_seconds
        self._board = Board(0)
        self._before: Board | None = None
        self._look_at = 0.0
        self._chosen = ""
        self._pane = "jobs"
        self._message = ""
        self._trouble = ""
        self._is_held = False
        self._asked = ""
        self._replay: Iterator[int] | None = None
        self._replayed = 0

    def run(self) -> None:
        """Show it until somebody presses q, or the terminal has gone."""
        console = Console()
        live = Live(console=console, screen=True, auto_refresh=False)
        with pressed(sys.stdin.fileno()) as read, live:
            while self._turn(live, console, read):
                pass

    def _turn(self, live: Live, console: Console, read: Read) -> bool:
        """Look if it is time, draw, and do what a key says; False: the end."""
        if not self._is_held and time.monotonic() >= self._look_at:
            self._look()
        shown = picture.Shown(self._chosen, self._pane, self._message, self._trouble, self._is_held)
        server = self._boltq.server.address.shown
        live.update(
            picture.draw(self._board, server, shown, console.width, console.height), refresh=True
        )
        left = max(0.0, self._look_at - time.monotonic())
        key = read(0.0 if self._replay else min(left, RESIZE_SECONDS) or 0.01)
        if self._replay and not key:
            self._go_on(self._replay)
        return key not in {"q", CLOSED} and self._press(key)

    def _look(self) -> None:
        self._look_at = time.monotonic() + self._every_seconds
        try:
            board = look(self._boltq, self._before)
        except BoltQError as problem:
            self._trouble = str(problem)
            return
        self._board = self._before = board
        self._trouble = ""
        names = [queue.name for queue in board.queues]
        if self._chosen not in names:
            self._chosen = names[0] if names else ""

    def _press(self, key: str) -> bool:
        if self._asked:
            self._answer(key)
        elif key in {"up", "k", "down", "j"}:
            self._choose(-1 if key in {"up", "k"} else 1)
        elif key in {"tab", "w"}:
            self._pane = "jobs" if self._pane == "workers" else "workers"
        elif key == "space":
            self._is_held = not self._is_held
        elif key == "escape":
            self._stop_replay()
        elif key in {"p", "r"} and (queue := self._queue()):
            self._pause(queue) if key == "p" else self._ask(queue)
        return True

    def _queue(self) -> Queue | None:
        return next((one for one in self._board.queues if one.name == self._chosen), None)

    def _choose(self, by: int) -> None:
        names = [queue.name for queue in self._board.queues]
        if names:
            at = names.index(self._chosen) + by
            self._chosen = names[max(0, min(at, len(names) - 1))]

    def _pause(self, queue: Queue) -> None:
        try:
            if queue.stats.paused:
                self._boltq.resume(queue.name)
                self._message = f"{queue.name} is resumed"
            else:
                self._boltq.pause(queue.name, by=_user())
                self._message = f"{queue.name} is paused: running jobs go on"
        except BoltQError as problem:
            self._message = str(problem)
        self._look_at = 0.0

    def _ask(self, queue: Queue) -> None:
        if self._replay:
            return
        if queue.stats.dead:
            self._asked = queue.name
            self._message = f"Replay the {queue.stats.dead} dead jobs of {queue.name}? y or n"
        else:
            self._message = f"{queue.name} has no dead jobs"

    def _answer(self, key: str) -> None:
        if not key:
            return
        self._message = "" if key == "y" else "nothing was replayed"
        if key == "y":
            self._replay, self._replayed = self._boltq.replay_steps(self._asked), 0
        self._asked = ""

    def _go_on(self, replay: Iterator[int]) -> None:
        """Do one more step of what was begun: keys are heard in between."""
        try:
            self._replayed += next(replay)
            self._message = f"{self._replayed} jobs are queued again; Esc stops"
        except StopIteration:
            self._replay = None
            self._message = f"{self._replayed} jobs are queued again"
            self._look_at = 0.0
        except BoltQError as problem:
            self._replay = None
            self._message = f"after {self._replayed} jobs: {problem}"

    def _stop_replay(self) -> None:
        if self._replay:
            self._replay = None
            self._message = f"stopped: {self._replayed} jobs are queued again"


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a user without a name, as in a container
        return ""
