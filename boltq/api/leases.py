"""Leased jobs over HTTP: ack, fail, extend and release them, one by one or many at once."""

from dataclasses import dataclass
from typing import Any

import falcon

from boltq import ids
from boltq.api import requests, strict, work_requests
from boltq.api.answers import send
from boltq.api.became import Answer
from boltq.api.bodies import json_body
from boltq.api.middleware import note
from boltq.api.settling import settle
from boltq.client import BoltQ
from boltq.errors import BoltQError


@dataclass(frozen=True, slots=True)
class OneReport:
    """POST /api/jobs/{id}/ack, /fail, /extend or /release: `kind` is the body's."""

    boltq: BoltQ
    kind: type[Any]

    def on_post(self, req: falcon.Request, resp: falcon.Response, id: str) -> None:
        """Report on one job: 200 with what became of it, 409 if the lease is lost, 404."""
        requests.read_id(id)
        note(req, job=id, queue=ids.split(id)[0])
        report = strict.read(self.kind, json_body(req))
        (answer,) = settle(self.boltq.server, [(id, report)])
        if isinstance(answer, BoltQError):
            raise answer
        send(resp, answer)


@dataclass(frozen=True, slots=True)
class Reports:
    """POST /api/acks."""

    boltq: BoltQ

    def on_post(self, req: falcon.Request, resp: falcon.Response) -> None:
        """Report on many jobs: 200 with one answer each, in lists and in orders as they came.

        What was refused has a `word` and is counted.
        """
        lists = work_requests.read_reports(json_body(req))
        answers = settle(self.boltq.server, [one for each in lists.values() for one in each])
        told: dict[str, object] = {}
        start = 0
        for name, each in lists.items():
            shown = answers[start : start + len(each)]
            told[name] = [_member(id, answer) for (id, _), answer in zip(each, shown, strict=True)]
            start += len(each)
        refused = sum(isinstance(answer, BoltQError) for answer in answers)
        send(resp, {"refused": refused, **told})


def _member(id: str, answer: Answer) -> dict[str, object]:
    if not isinstance(answer, BoltQError):
        return answer
    members = getattr(answer, "members", {})
    return {"id": id, "word": answer.word, "detail": str(answer), **members}
