"""BoltQ: boltq_peer.py single|bulk JOBS enqueues; boltq-worker works."""

import sys

from counted import PAYLOAD, count, timed

from boltq import BoltQ, NewJob

app = BoltQ()


@app.job("noop")
def noop(**_payload: str) -> None:
    count()


def single(jobs: int) -> None:
    for _ in range(jobs):
        app.enqueue("noop", PAYLOAD)


def bulk(jobs: int) -> None:
    app.enqueue_many(NewJob("noop", PAYLOAD) for _ in range(jobs))


if __name__ == "__main__":
    timed(lambda: {"single": single, "bulk": bulk}[sys.argv[1]](int(sys.argv[2])))
