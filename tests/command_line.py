"""Commands run to their end on a server, and jobs brought into a state for them to find."""

import os

from click.testing import CliRunner
from programs import SETTINGS
from servers import TestServer

from boltq import BoltQ, ids, scripts
from boltq.cli import main


class Shell:
    """Runs `boltq` on a server: in this process, where a command takes a tenth of the time."""

    def __init__(self, server: TestServer, **told: str) -> None:
        self.told = {"REDIS_ADDR": server.address, **told}

    def out(self, *command: str, typed: str = "") -> str:
        """What a command printed that succeeded and had nothing else to say."""
        status, out, err = self.all(*command, typed=typed)
        assert err == ""
        assert status == 0
        return out

    def all(self, *command: str, typed: str = "") -> tuple[int, str, str]:
        """The status of a command, and what it printed on its output and its errors."""
        unset = dict.fromkeys(filter(SETTINGS.match, os.environ))
        ran = CliRunner().invoke(
            main, command, input=typed, env={**unset, **self.told}, prog_name="boltq"
        )
        if ran.exception is not None and not isinstance(ran.exception, SystemExit):
            raise ran.exception
        return ran.exit_code, ran.stdout, ran.stderr


def claimed(
    client: BoltQ, queue: str, limit: int = 1, lease_ms: int = 30_000
) -> list[scripts.AckItem]:
    """Claim jobs; what is returned acks them."""
    token = ids.new_token()
    call = scripts.claim(
        queue, token=token, worker="w1", lease_ms=lease_ms, limit=limit, max_bytes=8_000_000
    )
    reply = client.server.call(call)
    assert isinstance(reply, scripts.Claimed)
    return [scripts.AckItem(job.id, token, b"") for job in reply.answers]


def complete(client: BoltQ, queue: str, result: bytes = b"7", limit: int = 1) -> None:
    """Take queued jobs to their good end."""
    items = [item._replace(result=result) for item in claimed(client, queue, limit)]
    client.server.call(scripts.ack(queue, items))


def bury(client: BoltQ, queue: str, message: bytes = b"no\nmore", limit: int = 1) -> None:
    """Take queued jobs to their bad end."""
    items = [
        scripts.FailItem(item.id, item.token, b"ValueError", message, b"", "", 1)
        for item in claimed(client, queue, limit)
    ]
    client.server.call(scripts.fail(queue, items))
