"""RQ: rq_peer.py single|bulk JOBS enqueues."""

import os
import sys

from counted import PAYLOAD, count, timed
from redis import Redis
from rq import Queue

NAME = "rq_peer.noop"


def noop(**_payload: str) -> None:
    count()


def single(jobs: int) -> None:
    queue = Queue("field", connection=Redis.from_url(os.environ["FIELD_REDIS"]))
    for _ in range(jobs):
        queue.enqueue(NAME, kwargs=PAYLOAD)


def bulk(jobs: int) -> None:
    queue = Queue("field", connection=Redis.from_url(os.environ["FIELD_REDIS"]))
    for begin in range(0, jobs, 500):
        some = range(begin, min(jobs, begin + 500))
        queue.enqueue_many([Queue.prepare_data(NAME, kwargs=PAYLOAD) for _ in some])


if __name__ == "__main__":
    timed(lambda: {"single": single, "bulk": bulk}[sys.argv[1]](int(sys.argv[2])))
