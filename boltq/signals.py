"""Signals as events: the way in which every program of ours is asked to end."""

import atexit
import os
import signal
from threading import Event, Thread
from types import FrameType

ENDING = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)


def stop_on_signals() -> tuple[Event, Event]:
    """Return two events: the first signal to end sets the first, another one the second.

    To be called once, from the main thread, whose waits still end when the event is set. A signal
    that this process was started to ignore, as nohup does with SIGHUP, stays ignored.
    """
    stop, hurry = Event(), Event()
    heard, told = os.pipe()

    # Not in a handler: Python calls one between two steps of the main thread, and where the signal
    # came just before it began to wait, or to another thread, that would be after the wait. The
    # number is written at once, whatever the main thread does.
    def pass_on() -> None:
        for event in (stop, hurry):
            while os.read(heard, 1)[0] not in ENDING:
                pass
            event.set()

    Thread(target=pass_on, name="signals", daemon=True).start()
    os.set_blocking(told, False)
    signal.set_wakeup_fd(told, warn_on_full_buffer=False)
    for number in ENDING:
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, _leave_it)
    atexit.register(_hear_no_more)
    return stop, hurry


def _leave_it(_number: int, _frame: FrameType | None) -> None:
    """Do nothing: the number has been written."""


def _hear_no_more() -> None:
    """Leave the exit status alone: while Python ends, a signal would do what it does by default."""
    for number in ENDING:
        signal.signal(number, signal.SIG_IGN)
