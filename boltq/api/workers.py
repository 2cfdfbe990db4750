"""Workers over HTTP."""

from dataclasses import dataclass

import falcon

from boltq import presence
from boltq.api.answers import array, encode, send
from boltq.client import BoltQ
from boltq.job import moment_of, shown_time


@dataclass(frozen=True, slots=True)
class Workers:
    """GET /api/workers."""

    boltq: BoltQ

    def on_get(self, _req: falcon.Request, resp: falcon.Response) -> None:
        """List the workers with the jobs that they run; `now` is the clock of all these times."""
        shown = array(worker.to_json() for worker in presence.workers(self.boltq.server))
        now = encode(shown_time(moment_of(self.boltq.server.now_ms())))
        send(resp, b'{"workers":' + shown + b',"now":' + now + b"}", lasting=shown)
