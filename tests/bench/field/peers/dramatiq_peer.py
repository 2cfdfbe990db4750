"""dramatiq: dramatiq_peer.py single|paced JOBS enqueues; it has no bulk."""

import os
import sys

import dramatiq
from counted import PAYLOAD, count, paced, timed
from dramatiq.brokers.redis import RedisBroker

dramatiq.set_broker(RedisBroker(url=os.environ["FIELD_REDIS"]))


@dramatiq.actor
def noop(sent_ns: int = 0, **_payload: str) -> None:
    count(sent_ns)


def single(jobs: int) -> None:
    for _ in range(jobs):
        noop.send(**PAYLOAD)


if __name__ == "__main__":
    ways = {"single": single, "paced": lambda jobs: paced(noop.send, jobs)}
    timed(lambda: ways[sys.argv[1]](int(sys.argv[2])))
