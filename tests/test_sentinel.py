"""Failovers by Sentinel: a producer, raw callers and a worker go on at each new master.

TEST_FAILOVERS=10 makes ten of them, on both servers, and prints how long each took.
"""

import statistics
import sys
import time
from collections.abc import Iterator

import pytest
from replicas import FAILOVERS, kinds
from sentinels import Watched, watched
from traffic import Traffic

from boltq import address, scripts
from boltq.evalsha import Server

TURNS = FAILOVERS or 2


@pytest.fixture(scope="module", params=kinds("redis"))
def group(request: pytest.FixtureRequest) -> Iterator[Watched]:
    with watched(request.param) as found:
        yield found


@pytest.mark.timeout(60 + 40 * TURNS)
def test_work_goes_on_after_each_failover_and_only_its_last_writes_are_lost(
    group: Watched, queue: str, capsys: pytest.CaptureFixture[str]
) -> None:
    took, away = [], []
    with Traffic(group.served(), [queue, f"{queue}-2"]) as traffic:
        traffic.must_go_on("the start")
        for turn in range(TURNS):
            began = time.monotonic()
            how = group.kill_master if turn % 2 else group.ask_for_failover
            how()
            # What the old master answered before it was gone, or heard that it is none any more.
            traffic.may_lose(began - 1.0, time.monotonic())
            took.append(traffic.must_go_on(f"failover {turn} by {how.__name__}"))
            away.append(time.monotonic() - began)
            group.mend()
    traffic.must_be_whole()
    told = (
        f"failovers={TURNS} seconds_after_the_election: median={statistics.median(took):.2f} "
        f"max={max(took):.2f} from_the_begin: median={statistics.median(away):.2f} "
        f"max={max(away):.2f} jobs={len(traffic.accepted)} lost={len(traffic.lost)} "
        f"unanswered={len(traffic.unknown)}\n"
    )
    with capsys.disabled():
        sys.stdout.write(told if FAILOVERS else "")


def test_a_sentinel_that_is_away_holds_nobody_up(group: Watched, queue: str) -> None:
    away = "".join(f"127.0.0.{n}:1," for n in range(1, 9))
    place = group.address.replace("://", f"://{away}")
    road = Server(address.parse(place), patience_seconds=0)
    began = time.monotonic()
    assert road.call(scripts.stats(queue)).queued == 0
    assert time.monotonic() - began < 8.0  # with the library's own retries, 24 s
    road.close()
