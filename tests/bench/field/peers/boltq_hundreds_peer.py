"""BoltQ in calls of a hundred jobs: boltq_hundreds_peer.py bulk JOBS enqueues, `work 0` works.

There is no worker: one thread claims and acks, as the design's figure of a life in hundreds has it.
"""

import sys
from typing import Any

from counted import count, timed

from boltq import BoltQ, ids, scripts
from boltq.bench import moves

SIZE = 100
QUEUE = "hundreds"

app = BoltQ()


def bulk(jobs: int) -> None:
    for size in moves.batches(jobs, SIZE):
        app.server.call(moves.enqueue(QUEUE, size))


def work(_jobs: int) -> None:
    token = ids.new_token()
    reply: Any = app.server.call(moves.claim(QUEUE, token, SIZE))
    while isinstance(reply, scripts.Claimed):
        done = [scripts.AckItem(job.id, token, b"") for job in reply.answers]
        for _ in done:
            count()
        token = ids.new_token()
        claim = moves.claim(QUEUE, token, SIZE)
        _, reply = app.server.call_all([scripts.ack(QUEUE, done), claim])


if __name__ == "__main__":
    timed(lambda: {"bulk": bulk, "work": work}[sys.argv[1]](int(sys.argv[2])))
