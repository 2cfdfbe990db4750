"""What a handler tells of its job: how far it is, and a log; kept here until a call carries it."""

from collections import deque
from collections.abc import Iterable
from threading import Lock

LINES_KEPT = 100
LINE_BYTES = 1000
TEXT_BYTES = 200
CALL_BYTES = 4096
"""How much of a log one call carries; of more that was told since the call before, the last."""


class Notes:
    """What one try of a job has told. Safe for threads; bounded, however much is told.

    What was handed to a call is handed out again until that call is known to have been carried out:
    lines are counted from the start of the try, so that the engine keeps none of them twice.
    """

    __slots__ = ("_carried", "_lines", "_lock", "_progress", "_told")

    def __init__(self) -> None:
        self._lock = Lock()
        self._progress = b""
        self._lines: deque[bytes] = deque(maxlen=LINES_KEPT)
        self._told = 0  # lines, with those that are not kept here any more
        self._carried = b""  # the progress that is known in Redis

    def set_progress(self, share: float, text: str) -> None:
        """Remember how far the job is, instead of what was told before. Raises ValueError."""
        if not 0 <= share <= 1:
            raise ValueError(f"the progress of a job must be 0 to 1, not {share!r}")
        at_what = _cut(text.replace("\n", " "), TEXT_BYTES)
        with self._lock:
            self._progress = f"{share:.6f} ".encode() + at_what

    def add_lines(self, text: str) -> None:
        """Remember a line of the log, or several with line feeds between; 1000 bytes of each."""
        lines = [_cut(line, LINE_BYTES) for line in text.split("\n")]
        with self._lock:
            self._lines.extend(lines)
            self._told += len(lines)

    @property
    def has_news(self) -> bool:
        """Whether something was told that is not known to be in Redis."""
        return bool(self._lines) or self._progress != self._carried

    def news(self) -> "News":
        """Return what is to be carried next."""
        with self._lock:
            lines: list[bytes] = []
            size = 0
            for line in reversed(self._lines):
                size += len(line)
                if size > CALL_BYTES:
                    break
                lines.insert(0, line)
            progress = self._progress if self._progress != self._carried else b""
            return News(self._told - len(lines), progress, lines)

    def carried(self, news: "News") -> None:
        """Let go of what a call is known to have carried."""
        with self._lock:
            self._carried = news.progress or self._carried
            while self._lines and self._told - len(self._lines) < news.before + len(news.lines):
                self._lines.popleft()


class News:
    """Some of what a handler told, in the form of the scripts."""

    __slots__ = ("before", "lines", "progress")

    def __init__(self, before: int, progress: bytes, lines: list[bytes]) -> None:
        self.before, self.progress, self.lines = before, progress, lines

    def written(self, item: int) -> bytes:
        """Write it as part of what a call tells of its items, which count from 1."""
        first = b"%d %d %d %b" % (item, len(self.lines), self.before, self.progress or b"- ")
        return b"\n".join([first, *self.lines])


def news_of(notes: Notes | None) -> News | None:
    """Return what is to be carried next, None if there is nothing."""
    return notes.news() if notes is not None and notes.has_news else None


def told(each: Iterable[News | None]) -> bytes | None:
    """Return what a call tells of its items, given in their order; None if that is nothing."""
    parts = [news.written(item) for item, news in enumerate(each, 1) if news is not None]
    return b"\n".join(parts) if parts else None


def _cut(text: str, most_bytes: int) -> bytes:
    raw = text[:most_bytes].encode("utf-8", "replace")[:most_bytes]
    return raw.decode("utf-8", "ignore").encode()
