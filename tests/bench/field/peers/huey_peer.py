"""huey: huey_peer.py single|paced JOBS enqueues; it has no bulk."""

import os
import sys

from counted import PAYLOAD, count, paced, timed
from huey import RedisHuey

huey = RedisHuey("field", url=os.environ["FIELD_REDIS"])


@huey.task()
def noop(sent_ns: int = 0, **_payload: str) -> None:
    count(sent_ns)


def single(jobs: int) -> None:
    for _ in range(jobs):
        noop(**PAYLOAD)


if __name__ == "__main__":
    # As the consumer imports it: the name of the module is in the task.
    import huey_peer

    ways = {"single": huey_peer.single, "paced": lambda jobs: paced(huey_peer.noop, jobs)}
    timed(lambda: ways[sys.argv[1]](int(sys.argv[2])))
