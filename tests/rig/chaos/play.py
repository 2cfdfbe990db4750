"""One chaos run: a load, faults on it, and an end at which all is drained and written down."""

import itertools
import random
import tempfile
import threading
import time
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from line import line_to
from rig.chaos import keeper
from rig.chaos.crew import crew_in
from rig.chaos.faults import ALL, planned
from rig.chaos.hands import OrderHand, WildHand, recent
from rig.chaos.history import History
from rig.chaos.load import ORDER, WORKED, Producer
from rig.chaos.record import RecordedServer
from rig.chaos.stage import Stage
from servers import process_server

from boltq import address

OPTIONS = ("--lua-time-limit", "500", "--maxclients", "500")
DRAIN_SECONDS = 90.0
PROGRESS_SECONDS = 10.0
GAPS_SECONDS = (2.0, 5.0, 11.0, 11.0)


@dataclass(frozen=True)
class Score:
    """What is to be played.

    seconds: of load and faults. rate: jobs a second of all producers. lease: of the workers.
    scale: by which faults are shorter than in a long run. gaps: between two faults, in seconds; in
    the longer ones it is judged that work goes on within 10 s. faults: their names; each comes once
    in a round. workers: how many processes each has.
    """

    kind: str
    seed: int
    seconds: float
    rate: float = 400.0
    lease: float = 3.0
    scale: float = 1.0
    gaps: Sequence[float] = GAPS_SECONDS
    faults: Sequence[str] = tuple(ALL)
    workers: Sequence[int] = (1, 1, 2)
    most_faults: int = 1_000_000
    fsync: str = "no"


class Told:
    """Prints a line of progress now and then."""

    def __init__(self, producers: Sequence[Producer], *, silent: bool) -> None:
        self._producers, self._silent = producers, silent
        self._began = self._last = time.monotonic()
        self.faults, self.now = 0, ""

    def __call__(self) -> None:
        now = time.monotonic()
        if self._silent or now - self._last < PROGRESS_SECONDS:
            return
        self._last = now
        made = sum(producer.made for producer in self._producers)
        print(
            f"  {now - self._began:5.0f} s: {made} jobs made, {self.faults} faults, {self.now}",
            flush=True,
        )


def play(score: Score, folder: Path, *, silent: bool = False) -> str:
    """Play it; the history is in the folder then. Returns the version of the server."""
    with ExitStack() as stack:
        options = ("--appendfsync", score.fsync, *OPTIONS)
        server = stack.enter_context(process_server(score.kind, *options, persistent=True))
        assert server.embedded
        info = server.raw().info("server")
        version = str(info.get("valkey_version") or info["redis_version"])
        short = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="boltq-line-")))
        line = stack.enter_context(line_to(server.embedded.socket_path, short))
        history = History(folder, "rig")
        stack.callback(history.close)
        recorded = RecordedServer(
            address.parse(server.address), history, "rig", patience_seconds=2.0
        )
        stack.callback(recorded.close)
        keeper.prepare(recorded)
        places = itertools.cycle((server.address, line.address))
        crew = stack.enter_context(crew_in(folder, history, ",".join(WORKED), score.lease))
        for number, processes in enumerate(score.workers, 1):
            crew.add(f"worker{number}", next(places), processes)
        stage = Stage(server, line, crew, history, recorded, score.lease, score.scale)
        _load_and_faults(stage, score, places, silent=silent)
        return version


def _load_and_faults(stage: Stage, score: Score, places: Any, *, silent: bool) -> None:
    history, seed = stage.history, str(score.seed)
    producers = [
        Producer(
            next(places),
            history,
            f"producer{n}",
            seed=seed,
            rate=score.rate / 3,
            lease=score.lease,
        )
        for n in (1, 2, 3)
    ]
    sent = recent(producers, random.Random(seed))
    wild = [
        WildHand(
            next(places), history, f"hand{n}", "mixed", seed=seed, lease=score.lease, sent=sent
        )
        for n in (1, 2)
    ]
    order = OrderHand(next(places), history, "hand3", ORDER, seed=seed, lease=score.lease)
    keeping = keeper.Keeper(stage.recorded.another(patience_seconds=0.5), history)
    everybody: list[Any] = [*producers, *wild, order, keeping]
    for one in everybody:
        one.start()
    told = stage.tick = Told(producers, silent=silent)
    try:
        _faults(stage, score, told)
        history.write("load ended", "rig")
        _stop(*producers)
        _stop(*wild)
        told.now = "draining"
        left = keeper.wait_until_drained(stage.recorded, DRAIN_SECONDS)
        for queue, count in left.items():
            history.write("wrong", "rig", queue=queue, word=f"{count} jobs did not come to an end")
        _stop(order, keeping)
        stage.crew.end()
        keeper.take_stock(stage.recorded, history)
        for wrong in stage.crew.wrong:
            history.write("wrong", "crew", word=wrong)
    finally:
        _stop(*everybody)


def _stop(*threads: Any) -> None:
    for thread in threads:
        thread.stop()
    for thread in threads:
        assert isinstance(thread, threading.Thread)
        thread.join(20)


def _faults(stage: Stage, score: Score, told: Told) -> None:
    over = time.monotonic() + score.seconds
    some = random.Random(f"{score.seed} gaps")
    stage.wait(min(score.gaps))
    for number, (name, chance) in enumerate(planned(str(score.seed), list(score.faults)), 1):
        if time.monotonic() > over or number > score.most_faults:
            break
        told.faults, told.now = number, name
        stage.history.write("fault", "rig", n=number, word=name)
        ALL[name](stage, chance)
        stage.history.write("healed", "rig", n=number, word=name)
        told.now = f"after {name}"
        stage.wait(some.choice(score.gaps))
    stage.wait(max(score.gaps))
