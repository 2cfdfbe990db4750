"""`Prefer: wait=N`: an answer that comes when the job has ended, or after N seconds."""

import re
import time
from typing import Any

import falcon

from boltq.api import parking
from boltq.api.parking import LONGEST_WAIT_SECONDS, Parked, Wait
from boltq.client import BoltQ
from boltq.follow import ENDED
from boltq.job import Job

_WAIT = re.compile(r'(?:^|,)\s*wait\s*=\s*"?([0-9]{1,9})"?\s*(?=$|[,;])', re.IGNORECASE)


def seconds(req: falcon.Request) -> int:
    """Return for how long a client prefers to wait, 20 at most; 0: not at all.

    What cannot be understood is passed over, as RFC 7240 has it.
    """
    found = _WAIT.search(req.get_header("Prefer") or "")
    return min(int(found[1]), LONGEST_WAIT_SECONDS) if found else 0


def remembered(req: falcon.Request) -> Any:
    """Return what `until_ended` was told to remember in an earlier run of the request, or None."""
    wait = parking.resumed(req)
    return None if wait is None else wait.kept


def until_ended(
    req: falcon.Request, resp: falcon.Response, boltq: BoltQ, job: Job, remember: Any = None
) -> None:
    """Return if the job has ended, or the client does not wait, or no longer; else park.

    Says in the answer whether the preference was honoured. Where there is no room to wait, it is
    not, and the client is told when to come again.
    """
    prefers = seconds(req)
    if not prefers:
        return
    wait = parking.resumed(req)
    if wait is None:
        until = time.monotonic() + prefers
        wait = Wait(boltq.server, until, job=job.id, kept=remember)
    if job.state not in ENDED and not wait.is_over:
        if parking.may_wait(req):
            raise Parked(wait)
        resp.set_header("Retry-After", parking.RETRY_AFTER_SECONDS)
        return
    resp.set_header("Preference-Applied", f"wait={prefers}")
