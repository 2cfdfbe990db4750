"""The front door: what runs here, how to try it, and whether it is alive and ready."""

import re
from dataclasses import dataclass

import falcon

from boltq import __version__
from boltq.api import page
from boltq.api.answers import send
from boltq.api.keys import GRANTS
from boltq.api.parking import ENDING
from boltq.client import BoltQ
from boltq.errors import Unavailable

_HOST = re.compile(r"[A-Za-z0-9.-]+(:[0-9]{1,5})?|\[[0-9a-fA-F:.]+\](:[0-9]{1,5})?")

_PATHS = """\
POST /api/jobs                     enqueue a job: type, payload, and options
POST /api/jobs/batch               up to 1,000 of them; mode=each or all
GET  /api/jobs                     list them; state=, queue=, type=, error=, worker=, text=, since=
GET  /api/jobs/status?id=ID        how it stands
GET  /api/jobs/ID                  the same
PATCH /api/jobs/ID                 change its priority, delay_seconds or run_at
DELETE /api/jobs/ID                delete it, with all that is kept of it
GET  /api/jobs/ID/attempts         what it has been through
POST /api/jobs/ID/run              run it now, whenever it is due
POST /api/jobs/ID/cancel           take it out, or ask its worker to stop
POST /api/jobs/ID/replay           queue a dead job again
POST /api/claims                   lease jobs to a worker; queues, wait_seconds, token
POST /api/jobs/ID/ack              it is done; token, result
POST /api/jobs/ID/fail             it failed; token, error, delay_seconds, final
POST /api/jobs/ID/extend           it takes longer; token, lease_seconds
POST /api/jobs/ID/release          another may do it; token, delay_seconds
POST /api/acks                     many of these at once: acks, fails, extends, releases
GET  /api/scripts                  the Lua scripts, for those who speak to Redis themselves
GET  /api/scripts/NAME             one of them
GET  /api/dead                     dead jobs, newest first; queue=, limit=, cursor=
GET  /api/dead/groups              counted by type and error; state=, queue=, most=
POST /api/operations               replay, cancel, purge or run_now all that a filter asks for
GET  /api/operations               what was begun so; queue=
GET  /api/operations/ID            how far it is
POST /api/operations/ID/stop       do no more of it
GET  /api/overview                 queues, workers and server in one, made once a second
GET  /api/stats                    counts, of all queues and of each
GET  /api/series                   what happened by the minute; queue=, minutes=
GET  /api/events                   what each call did, where that is kept; queue=, after=, limit=
GET  /api/queues                   the queues
GET  /api/queues/QUEUE             its counts and settings
PATCH /api/queues/QUEUE            set how it behaves
DELETE /api/queues/QUEUE           delete it, if it is empty
POST /api/queues/QUEUE/purge       delete its jobs of a state
POST /api/queues/QUEUE/pause       hand out no more of its jobs; reason, by
POST /api/queues/QUEUE/resume      hand them out again
GET  /api/workers                  the workers, the jobs that they run, and what became of others
POST /api/workers/ID/quiet         ask a worker to claim nothing more; by
POST /api/workers/ID/stop          ask it to end once what it runs is done
POST /api/workers/ID/resume        ask a quiet one to claim again
GET  /                             in a browser: the page
GET  /api/openapi.json             all of this for programs, in OpenAPI 3.1
GET  /api/docs                     a page of it, to read and to try
GET  /metrics                      what the queues hold, for Prometheus
GET  /healthz                      this process is alive
GET  /readyz                       and Redis answers
"""


@dataclass(frozen=True, slots=True)
class Front:
    """GET /."""

    boltq: BoltQ
    environment: str = ""

    def on_get(self, req: falcon.Request, resp: falcon.Response) -> None:
        """Tell what runs here: as text, as JSON for programs, and browsers are given the page."""
        kinds = (falcon.MEDIA_TEXT, falcon.MEDIA_JSON, falcon.MEDIA_HTML)
        kind = req.client_prefers(kinds) or falcon.MEDIA_TEXT
        resp.set_header("Vary", "Accept")
        if kind == falcon.MEDIA_HTML:
            page.send_index(resp)
            return
        host = req.get_header("Host") or ""
        place = f"http://{host if _HOST.fullmatch(host) else 'localhost:8080'}"
        context = req.context
        is_stranger = context.is_guarded and context.key is None
        server = "a Redis or Valkey" if is_stranger else self.boltq.server.address.shown
        key = "-H 'Authorization: Bearer SECRET' " if context.is_guarded else ""
        attempt = (
            f"curl -X POST {place}/api/jobs {key}-H 'Content-Type: application/json' "
            """-d '{"type": "echo", "payload": "hello"}'"""
        )
        if kind == falcon.MEDIA_JSON:
            paths = [" ".join(line.split()[:2]) for line in _PATHS.splitlines()]
            about = {"name": "BoltQ", "version": __version__, "server": server}
            if self.environment and not is_stranger:
                about["environment"] = self.environment
            grants = [] if is_stranger else sorted(context.key.grants if context.key else GRANTS)
            send(resp, {**about, "grants": grants, "try": attempt, "paths": paths})
            return
        resp.content_type = kind
        resp.text = f"BoltQ {__version__} on {server}\n\nTry it:\n\n{attempt}\n\n{_PATHS}"


class Healthz:
    """GET /healthz."""

    def on_get(self, _req: falcon.Request, resp: falcon.Response) -> None:
        """Answer; that alone says that this process is alive, whatever Redis does."""
        send(resp, {"status": "ok"})


@dataclass(frozen=True, slots=True)
class Readyz:
    """GET /readyz."""

    boltq: BoltQ

    def on_get(self, req: falcon.Request, resp: falcon.Response) -> None:
        """Answer 200 if Redis answers now, else 503; where it is, a stranger is not told.

        503 as well once this process is to end, before it takes no more connections.
        """
        if ENDING in req.env:
            raise Unavailable("this process of the API is ending: ask another one")
        try:
            self.boltq.ping()
        except Unavailable as error:
            if not req.context.is_guarded:
                raise
            raise Unavailable("the Redis or Valkey behind the API does not answer") from error
        send(resp, {"status": "ready"})
