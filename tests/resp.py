"""What travels between Redis and its clients, cut where a request or an answer ends."""


class Frames:
    """Cuts a stream of RESP2 into whole requests or answers."""

    def __init__(self) -> None:
        self._rest = b""

    def feed(self, read: bytes) -> list[bytes]:
        """Take what was read; returns what has become whole with it."""
        self._rest += read
        found, at = [], 0
        while (end := _end(self._rest, at)) is not None:
            found.append(self._rest[at:end])
            at = end
        self._rest = self._rest[at:]
        return found


def _end(text: bytes, at: int) -> int | None:
    """Where the value that begins at a byte ends; None: it is not whole yet."""
    line = text.find(b"\r\n", at)
    if line < 0:
        return None
    kind, end = text[at : at + 1], line + 2
    if kind == b"$":
        size = int(text[at + 1 : line])
        end += size + 2 if size >= 0 else 0
        return end if end <= len(text) else None
    if kind == b"*":
        for _ in range(int(text[at + 1 : line])):
            inner = _end(text, end)
            if inner is None:
                return None
            end = inner
    return end
