"""Keys as they are pressed, without the Enter behind them."""

import os
import select
import termios
import tty
from collections.abc import Callable, Iterator
from contextlib import contextmanager

Read = Callable[[float], str]
"""Waits for a key, so many seconds at most; returns its name, or "" where none came."""

NAMES = {
    "\x1b[A": "up",
    "\x1bOA": "up",
    "\x1b[B": "down",
    "\x1bOB": "down",
    "\x1b": "escape",
    "\t": "tab",
    " ": "space",
    "\r": "enter",
    "\n": "enter",
}
CLOSED = "closed"
"""Comes where the terminal has gone."""


@contextmanager
def pressed(terminal: int) -> Iterator[Read]:
    """Read single keys from a terminal while entered, and show none of them; Ctrl-C interrupts."""
    before = termios.tcgetattr(terminal)
    waiting: list[str] = []

    def read(seconds: float) -> str:
        if not waiting:
            if not select.select([terminal], [], [], seconds)[0]:
                return ""
            text = os.read(terminal, 1024).decode("utf-8", "replace")
            waiting.extend(_split(text) if text else [CLOSED])
        return waiting.pop(0)

    try:
        tty.setcbreak(terminal)
        yield read
    finally:
        termios.tcsetattr(terminal, termios.TCSADRAIN, before)


def _split(text: str) -> Iterator[str]:
    """Take apart what came at once: an arrow is three characters."""
    while text:
        arrow = text[:3]
        key = arrow if len(arrow) > 1 and arrow in NAMES else text[0]
        yield NAMES.get(key, key)
        text = text[len(key) :]
