"""Workers over HTTP."""

from dataclasses import dataclass
from http import HTTPStatus

import falcon

from boltq import orders, presence
from boltq.api.answers import array, encode, send
from boltq.api.bodies import optional_json_body
from boltq.api.operator_requests import read_ask
from boltq.client import BoltQ
from boltq.job import moment_of, shown_time


@dataclass(frozen=True, slots=True)
class Workers:
    """GET /api/workers."""

    boltq: BoltQ

    def on_get(self, _req: falcon.Request, resp: falcon.Response) -> None:
        """List the workers with the jobs that they run; `now` is the clock of all these times.

        `history` is what became of them and of others, the last first.
        """
        shown = array(worker.to_json() for worker in presence.workers(self.boltq.server))
        shown += b',"history":' + encode([event.shown() for event in self.boltq.worker_history()])
        now = encode(shown_time(moment_of(self.boltq.server.now_ms())))
        send(resp, b'{"workers":' + shown + b',"now":' + now + b"}", lasting=shown)


@dataclass(frozen=True, slots=True)
class Ask:
    """POST /api/workers/{id}/quiet, /stop and /resume; `word` is None for the last."""

    boltq: BoltQ
    word: orders.Word | None

    def on_post(self, req: falcon.Request, resp: falcon.Response, id: str) -> None:
        """Ask something of a worker: 202, since it hears of it within 10 s."""
        by = read_ask(optional_json_body(req)).by or req.context.caller
        orders.give(self.boltq.server, id, self.word, by=by)
        send(resp, {"id": id, "asked": self.word or "resume", "by": by}, HTTPStatus.ACCEPTED)
