"""huey: huey_peer.py single JOBS enqueues; it has no bulk."""

import os
import sys

from counted import PAYLOAD, count, timed
from huey import RedisHuey

huey = RedisHuey("field", url=os.environ["FIELD_REDIS"])


@huey.task()
def noop(**_payload: str) -> None:
    count()


def single(jobs: int) -> None:
    for _ in range(jobs):
        noop(**PAYLOAD)


if __name__ == "__main__":
    # As the consumer imports it: the name of the module is in the task.
    import huey_peer

    timed(lambda: huey_peer.single(int(sys.argv[2])))
