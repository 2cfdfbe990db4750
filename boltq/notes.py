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
        progress = _progress(share, text)
        with self._lock:
            self._progress = progress

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
            lines = _last(list(self._lines))
            progress = self._progress if self._progress != self._carried else b""
            return News(self._told - len(lines), progress, lines)

    def carried(self, news: "News") -> None:
        """Let go of what a call is known to have carried."""
        with self._lock:
            self._carried = news.progress or self._carried
            end = (news.before or 0) + len(news.lines)
            while self._lines and self._told - len(self._lines) < end:
                self._lines.popleft()


class News:
    """Some of what a handler told, in the form of the scripts.

    before: how many lines of its log it told before in this try; None: that is not known, and a
    call that is sent again may add some twice.
    """

    __slots__ = ("before", "lines", "progress")

    def __init__(self, before: int | None, progress: bytes, lines: list[bytes]) -> None:
        self.before, self.progress, self.lines = before, progress, lines

    @classmethod
    def of(
        cls, progress: tuple[float, str] | None, lines: Iterable[str], before: int | None
    ) -> "News":
        """Return what is told from outside, cut to what a call carries."""
        every = [_cut(one, LINE_BYTES) for line in lines for one in line.split("\n")]
        last = _last(every)
        known = None if before is None else before + len(every) - len(last)
        return cls(known, _progress(*progress) if progress else b"", last)

    def written(self, item: int) -> bytes:
        """Write it as part of what a call tells of its items, which count from 1."""
        before = b"-" if self.before is None else b"%d" % self.before
        first = b"%d %d %b %b" % (item, len(self.lines), before, self.progress or b"- ")
        # Each line ends with a line feed: an empty last one could not be told from none.
        return b"\n".join([first, *self.lines, b""])


def news_of(notes: Notes | None) -> News | None:
    """Return what is to be carried next, None if there is nothing."""
    return notes.news() if notes is not None and notes.has_news else None


def told(each: Iterable[News | None]) -> bytes | None:
    """Return what a call tells of its items, given in their order; None if that is nothing."""
    parts = [news.written(item) for item, news in enumerate(each, 1) if news is not None]
    return b"".join(parts) or None


def _progress(share: float, text: str) -> bytes:
    return f"{share:.6f} ".encode() + _cut(text.replace("\n", " "), TEXT_BYTES)


def _last(lines: list[bytes]) -> list[bytes]:
    """Return as many of the last lines as one call carries."""
    size, first = 0, len(lines)
    while first and size + len(lines[first - 1]) <= CALL_BYTES:
        first -= 1
        size += len(lines[first])
    return lines[first:]


def _cut(text: str, most_bytes: int) -> bytes:
    raw = text[:most_bytes].encode("utf-8", "replace")[:most_bytes]
    return raw.decode("utf-8", "ignore").encode()
