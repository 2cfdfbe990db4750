"""What a chaos run plays on: a server with a file, a line to it, the crew, and the settings."""

import random
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass

from line import Line
from rig.chaos.crew import Crew
from rig.chaos.history import History
from rig.chaos.record import RecordedServer
from servers import TestServer

from boltq import scripts
from boltq.errors import BoltQError

LOOK_SECONDS = 0.02


@dataclass
class Stage:
    """One run's.

    lease: of the workers, in seconds. scale: by which what faults take is shorter than in a long
    run. recorded: for calls of the rig's own. tick: is called while a fault waits.
    """

    server: TestServer
    line: Line
    crew: Crew
    history: History
    recorded: RecordedServer
    lease: float
    scale: float = 1.0
    tick: Callable[[], None] = lambda: None
    poisons: int = 0

    def seconds(self, some: random.Random, least: float, most: float) -> float:
        """Choose how long something takes."""
        return some.uniform(least, most) * self.scale

    def wait(self, seconds: float) -> None:
        """Let time pass, and do meanwhile what the rig has to do as a supervisor."""
        until = time.monotonic() + seconds
        while True:
            self.crew.mind()
            self.tick()
            left = until - time.monotonic()
            if left <= 0:
                return
            time.sleep(min(left, LOOK_SECONDS))

    def until_told(self, call: Callable[[], object], seconds: float = 30.0) -> None:
        """Ask until there is an answer."""
        until = time.monotonic() + seconds
        while True:
            try:
                call()
            except BoltQError:
                if time.monotonic() > until:
                    raise
            else:
                return
            self.wait(0.1)

    def is_dead(self, queue: str, id: str) -> bool:
        """Whether a job is dead by now; False also where there is no answer."""
        call = scripts.inspect(queue, [scripts.InspectItem(id)], with_payload=0)
        with suppress(BoltQError):
            answer = self.recorded.call(call).answers[0]
            return isinstance(answer, scripts.InspectJob) and answer.state == "dead"
        return False
