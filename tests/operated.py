"""The API as an operator sees it: jobs in every state, put there by the scripts.

rig.bury("mail", "a", "b")       dead jobs of a queue, the last the newest
rig.get("/api/jobs?state=dead")  the answer's JSON, which is expected to be a 200
"""

import json
import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from falcon.testing import Result, TestClient
from servers import TestServer

from boltq import ids, scripts
from boltq.api.app import create_app
from boltq.client import BoltQ
from boltq.ids import new_token


@dataclass
class Rig:
    boltq: BoltQ
    http: TestClient

    def call(self, call: Any) -> Any:
        return self.boltq.server.call(call)

    def enqueue(self, queue: str, *names: str, type: str = "echo", **options: Any) -> list[str]:
        return [self.boltq.enqueue(type, id=name, queue=queue, **options).id for name in names]

    def claim(self, queue: str, limit: int = 100, worker: str = "w1") -> str:
        token = new_token()
        call = scripts.claim(
            queue, token=token, worker=worker, lease_ms=60_000, limit=limit, max_bytes=4_000_000
        )
        self.call(call)
        return token

    def fail(self, queue: str, token: str, *names: str, error: str = "E", final: int = 1) -> None:
        for name in names:  # one call each, so that each has a time of its own
            item = scripts.FailItem(
                name,
                token,
                error.encode(),
                b"no\nmore",
                b"stack",
                "" if final else 3_600_000,
                final,
            )
            self.call(scripts.fail(queue, [item]))

    def bury(
        self, queue: str, *names: str, type: str = "echo", error: str = "E", **options: Any
    ) -> list[str]:
        made = self.enqueue(queue, *names, type=type, **options)
        self.fail(queue, self.claim(queue), *names, error=error)
        return made

    def ack(self, queue: str, token: str, *names: str) -> None:
        self.call(scripts.ack(queue, [scripts.AckItem(name, token, b"1") for name in names]))

    def get(self, path: str) -> Any:
        result = self.http.simulate_get(path)
        assert result.status_code == 200, result.text
        return result.json

    def send(self, method: str, path: str, body: object = None, **headers: str) -> Result:
        told = {name.replace("_", "-"): text for name, text in headers.items()}
        if body is None:
            return self.http.simulate_request(method, path, headers=told)
        told["Content-Type"] = "application/json"
        return self.http.simulate_request(method, path, body=json.dumps(body), headers=told)

    def refused(self, result: Result, status: int, word: str, field: str | None = None) -> str:
        assert (result.status_code, result.json["word"]) == (status, word), result.text
        assert result.json.get("field") == field, result.text
        return str(result.json["detail"])

    def state(self, id: str) -> str:
        return self.boltq.get(id).state

    def keys(self, queue: str) -> set[str]:
        """The keys that are there of a queue, by their parts."""
        tag = f"{self.boltq.server.prefix}1:{{{queue}}}:"
        found = self.boltq.server._redis.keys(f"{tag}*")
        return {name.decode().removeprefix(tag) for name in found}


@pytest.fixture
def rig(server: TestServer) -> Iterator[Rig]:
    # A prefix of its own, so that "all queues" are those of this test alone.
    client = BoltQ(server.address, prefix=f"op-{secrets.token_hex(6)}", patience_seconds=0.5)
    yield Rig(client, TestClient(create_app(client)))
    client.close()


def inside(id: str) -> str:
    return ids.split(id)[1]
