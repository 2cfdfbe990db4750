"""dramatiq: dramatiq_peer.py single JOBS enqueues; it has no bulk."""

import os
import sys

import dramatiq
from counted import PAYLOAD, count, timed
from dramatiq.brokers.redis import RedisBroker

dramatiq.set_broker(RedisBroker(url=os.environ["FIELD_REDIS"]))


@dramatiq.actor
def noop(**_payload: str) -> None:
    count()


def single(jobs: int) -> None:
    for _ in range(jobs):
        noop.send(**PAYLOAD)


if __name__ == "__main__":
    timed(lambda: single(int(sys.argv[2])))
