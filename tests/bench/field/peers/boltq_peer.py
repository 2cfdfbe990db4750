"""BoltQ: boltq_peer.py single|bulk|paced JOBS enqueues; boltq-worker works."""

import sys

from counted import PAYLOAD, count, paced, timed

from boltq import BoltQ, NewJob

app = BoltQ()


@app.job("noop")
def noop(sent_ns: int = 0, **_payload: str) -> None:
    count(sent_ns)


def single(jobs: int) -> None:
    for _ in range(jobs):
        app.enqueue("noop", PAYLOAD)


def bulk(jobs: int) -> None:
    app.enqueue_many(NewJob("noop", PAYLOAD) for _ in range(jobs))


if __name__ == "__main__":
    ways = {"single": single, "bulk": bulk, "paced": lambda jobs: paced(noop.enqueue, jobs)}
    timed(lambda: ways[sys.argv[1]](int(sys.argv[2])))
