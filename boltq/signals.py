"""Signals as events: the way in which every program of ours is asked to end."""

import atexit
import signal
from queue import SimpleQueue
from threading import Event, Thread
from types import FrameType

ENDING = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)


def stop_on_signals() -> tuple[Event, Event]:
    """Return two events: the first signal to end sets the first, another one the second.

    To be called once, from the main thread, whose waits still end when the event is set. A signal
    that this process was started to ignore, as nohup does with SIGHUP, stays ignored.
    """
    stop, hurry = Event(), Event()
    heard: SimpleQueue[int] = SimpleQueue()

    # A handler runs in the middle of whatever the main thread does. It may be holding the lock of
    # the event just then, so to set it there could wait for ever; to put into this queue cannot.
    def hear(number: int, _frame: FrameType | None) -> None:
        heard.put(number)

    def pass_on() -> None:
        for event in (stop, hurry):
            heard.get()
            event.set()

    Thread(target=pass_on, name="signals", daemon=True).start()
    for number in ENDING:
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, hear)
    atexit.register(_hear_no_more)
    return stop, hurry


def _hear_no_more() -> None:
    """Leave the exit status alone: while Python ends, a signal would do what it does by default."""
    for number in ENDING:
        signal.signal(number, signal.SIG_IGN)
