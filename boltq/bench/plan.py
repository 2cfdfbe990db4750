"""How much is measured: the sizes of one run."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Plan:
    """The sizes of a run.

    rounds: 1 or more; each figure is the median of so many. jobs: 1,000 or more, how many a round
    moves where they cost next to nothing; slower ones are fewer. threads: of a worker, 1 to 500
    each. processes: of a worker, 1 to 64 each. waiting: jobs in a queue, for how a call's cost
    depends on them. scheduled: the same of delayed ones. pickups: how many jobs an idle worker is
    given, 20 a second. idle_seconds: how long it is watched. idle_queues: how many it serves then.
    against_redis: the same moves with plain commands, too.
    """

    rounds: int = 3
    jobs: int = 20_000
    threads: tuple[int, ...] = (1, 8, 64)
    processes: tuple[int, ...] = (1, 2, 4)
    waiting: tuple[int, ...] = (10, 1000, 100_000)
    scheduled: int = 100_000
    pickups: int = 300
    idle_seconds: float = 10.0
    idle_queues: tuple[int, ...] = (1, 1000)
    against_redis: bool = False
