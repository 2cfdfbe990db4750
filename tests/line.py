"""A line to a server that loses or holds back the answers to one script."""

import json
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.resources import files
from pathlib import Path

_SCRIPTS = json.loads(files("boltq").joinpath("manifest.json").read_text("utf-8"))["scripts"]


class Line:
    """Hands requests on to the server at a socket, and its answers back."""

    def __init__(self, real: Path, own: Path) -> None:
        self.address = f"unix://{own}"
        self.lost = 0
        self.held = threading.Event()  # an answer is being held back
        self._real = str(real)
        self._sha1 = b"none"
        self._losses = 0
        self._go = threading.Event()
        self._go.set()
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(str(own))
        self._listener.listen()
        threading.Thread(target=self._accept, daemon=True).start()

    def lose(self, script: str, times: int) -> None:
        """From now on, cut the line in place of the next answers to a script that has run."""
        self._sha1, self._losses = _SCRIPTS[script]["sha1"].encode(), times

    def hold(self, script: str) -> None:
        """From now on, keep back the answers to a script until `release`."""
        self._sha1 = _SCRIPTS[script]["sha1"].encode()
        self._go.clear()

    def release(self) -> None:
        """Let go the answers that are held back, and hold no others."""
        self._go.set()

    def close(self) -> None:
        self.release()
        self._listener.close()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        with client, socket.socket(socket.AF_UNIX) as upstream:
            upstream.connect(self._real)
            try:
                while request := client.recv(1 << 22):
                    upstream.sendall(request)
                    reply = upstream.recv(1 << 22)
                    if self._sha1 in request and not reply.startswith(b"-NOSCRIPT"):
                        if self._losses:
                            self._losses -= 1
                            self.lost += 1
                            return
                        if not self._go.is_set():
                            self.held.set()
                            self._go.wait(20)
                    client.sendall(reply)
            except OSError:  # whoever was at the other end is gone
                return


@contextmanager
def line_to(real: Path, folder: Path) -> Iterator[Line]:
    line = Line(real, folder / "line.sock")
    try:
        yield line
    finally:
        line.close()
