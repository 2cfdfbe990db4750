"""A road on which each script may touch the keys that its header declares, and no other."""

import json
from collections.abc import Sequence
from dataclasses import replace
from importlib.resources import files
from typing import Any, TypeVar

from servers import TestServer

from boltq import address
from boltq.call import Call
from boltq.errors import BoltQError
from boltq.evalsha import Server

R = TypeVar("R")
SCRIPTS = json.loads(files("boltq").joinpath("manifest.json").read_text("utf-8"))["scripts"]


class DeclaredKeysOnly(Server):
    """Runs each script as a user whose keys are those that it declares, of the one queue.

    A single server lets a script touch any key; an ACL user is what tells.
    """

    def __init__(self, server: TestServer) -> None:
        place = address.parse(server.address)
        super().__init__(place)
        self._raw = server.raw()
        self._as_user = {
            verb: Server(replace(place, username=f"verb-{verb}", password="none"))
            for verb in SCRIPTS
        }
        self._may: dict[str, str] = {}

    def call(self, call: Call[R]) -> R:
        self._allow(call.script, call.queue)
        return self._as_user[call.script].call(call)

    def call_all(self, calls: Sequence[Call[Any]]) -> list[Any]:
        return [self._answer(call) for call in calls]

    def _answer(self, call: Call[Any]) -> object:
        try:
            return self.call(call)
        except BoltQError as refusal:
            return refusal

    def _allow(self, verb: str, queue: str) -> None:
        if self._may.get(verb) == queue:
            return
        keys = [f"~boltq1:{{{queue}}}:{part}" for part in SCRIPTS[verb]["keys"]]
        rules = ["reset", "on", ">none", *keys, "+@all"]
        # On a live connection the new rules hold at once.
        self._raw.execute_command("ACL", "SETUSER", f"verb-{verb}", *rules)
        self._may[verb] = queue

    def forget(self) -> None:
        """Give every user its keys anew before the next call."""
        self._may.clear()

    def close(self) -> None:
        super().close()
        for road in self._as_user.values():
            road.close()
