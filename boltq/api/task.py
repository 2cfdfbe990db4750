"""One run of a request: what the application is told of it, and the head of its answer."""

from functools import lru_cache
from typing import TYPE_CHECKING, Any, cast

from waitress.task import WSGITask
from waitress.utilities import build_http_date

from boltq.api.parking import ENDING, PLACE

if TYPE_CHECKING:
    from waitress.parser import HTTPRequestParser

    from boltq.api.channel import Channel
    from boltq.api.listener import Listener

_OF_WAITRESS = frozenset({"Date", "Server"})
"""The headers that waitress adds, or looks at."""


class ApplicationTask(WSGITask):
    """One run of a request, which can be run again from the beginning."""

    def get_environment(self) -> dict[str, Any]:
        """Return the environment of this run, with the place that the request has in all of them.

        The body is read from its start.
        """
        environ = super().get_environment()
        environ["wsgi.input"].seek(0)
        environ[PLACE] = cast("Channel", self.channel).place
        if self._is_ending:
            environ[ENDING] = True
        return environ

    def finish(self) -> None:
        """End the answer, and send what has not gone yet: its head and its body together.

        Each time that a thread sends, another one takes the interpreter's lock.
        """
        super().finish()
        cast("Channel", self.channel).send_rest()

    def build_response_header(self) -> bytes:
        """Return the head of the answer; once the API is to end, the connection ends with it.

        As waitress writes it, which looks at each name anew, and so takes longer for a dozen of
        them than the whole application for a small answer.
        """
        if self._is_ending:
            self.set_close_on_finish()
        names = [_written(name) for name, _ in self.response_headers]
        if not self._is_usual or "Content-Length" not in names or _OF_WAITRESS.intersection(names):
            return bytes(super().build_response_header())
        values = [value for _, value in self.response_headers]
        lines = [f"{name}: {value}\r\n" for name, value in zip(names, values, strict=True)]
        date = _date(int(self.start_time))
        head = f"HTTP/1.1 {self.status}\r\n{''.join(lines)}Date: {date}\r\n\r\n"
        return head.encode("latin-1")

    @property
    def _is_usual(self) -> bool:
        """Whether the connection may stay, and a body follows whose length is known."""
        sent = cast("HTTPRequestParser", self.request).headers.get("CONNECTION", "")
        return self.version == "1.1" and sent.lower() != "close" and bool(self.has_body)

    @property
    def _is_ending(self) -> bool:
        return cast("Listener", self.channel.server).stop.is_set()


@lru_cache(maxsize=256)
def _written(name: str) -> str:
    return "-".join(part.capitalize() for part in name.split("-"))


@lru_cache(maxsize=2)
def _date(second: int) -> str:
    return str(build_http_date(second))
