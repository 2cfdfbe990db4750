"""A real queue and its model, which are sent the same and must stay the same.

Every answer and every key is compared after each call.
"""

import secrets
from collections import deque
from typing import Any

from audited import sound
from hypothesis.stateful import RuleBasedStateMachine, invariant
from job_model import STAMPS, STATES
from key_model import expected_keys
from queue_keys import BY_THE_MINUTE, HOUR_MS, PARTS, Roads
from queue_model import QueueModel
from queue_state import QueueState
from servers import TestServer

REFUSALS = ("BAD_ARGUMENT", "BAD_KEYS", "TOO_LARGE", "UPGRADE")
# What begins with a minute and what is switched off have tests of their own.
MODELLED = {part: kind for part, kind in PARTS.items() if part not in (BY_THE_MINUTE, "events")}
TIMED = (*(state for state in STATES if state != "queued"), "claim_ends")


class Compared(RuleBasedStateMachine):
    """One queue on a server, and its model; no rules yet."""

    server: TestServer
    roads: Roads
    steps = 0  # calls compared, of all examples

    def __init__(self) -> None:
        super().__init__()
        self.q = QueueState(self.server, f"model-{secrets.token_hex(4)}", self.roads)
        self.model = QueueModel()
        self.sent: deque[tuple[str, tuple[Any, ...]]] = deque(maxlen=40)
        self.tokens = ["t0"]
        self.made = 0
        self.differs = False
        self.cursors: list[tuple[str, str, str]] = []
        self.places: deque[tuple[str, str]] = deque(maxlen=20)
        self.neighbour = QueueState(self.server, f"{self.q.name}.2", self.roads)
        self.neighbour.run("running")
        self.neighbour.enqueue("j0", "j1")
        self.beside = self.neighbour.dump()

    # --- a call, and the look at everything after it

    def send(self, verb: str, *argv: Any) -> list[Any]:
        """Send a request to both; the answer, and all that is kept, must be the same."""
        told = [plain(part) for part in self.q.send(verb, *(_wire(argument) for argument in argv))]
        refused = told[0] in REFUSALS
        expected = self.model.answer(verb, 0 if refused else told[1], argv)
        self.differs = True
        for place, (part, wanted) in enumerate(zip(told, expected, strict=not refused)):
            assert part == wanted, f"{verb}: element {place} is {part!r}, not {wanted!r}"
        self.look()
        self.differs = False
        type(self).steps += 1
        return told

    def request(self, verb: str, *argv: Any) -> list[Any]:
        """Send what any caller may send again at any time."""
        self.sent.append((verb, argv))
        return self.send(verb, *argv)

    def look(self) -> None:
        expected = expected_keys(self.model)
        reads = self.q.raw.pipeline(transaction=False)
        for part, kind in MODELLED.items():
            key = self.q.key(part)
            match kind:
                case "hash":
                    reads.hgetall(key)
                case "zset":
                    reads.zrange(key, 0, -1, withscores=True)
                case _:
                    reads.lrange(key, 0, -1)
        for (part, kind), found in zip(MODELLED.items(), reads.execute(), strict=True):
            if kind == "hash":
                held: Any = {field.decode(): value for field, value in found.items()}
            elif kind == "zset":
                held = [(member.decode(), int(score)) for member, score in found]
                in_order = sorted(expected.get(part, {}).items(), key=lambda one: (one[1], one[0]))
                assert held == in_order, part
                continue
            else:
                held = found
            assert held == expected.get(part, type(held)()), part

    @invariant()
    def all_is_accounted_for(self) -> None:
        """What was enqueued is kept, or was counted when it went; totals tell what happened."""
        total = self.model.total
        gone = sum(total[name] for name in ("purged", "trimmed", "dead_trimmed"))
        assert total["enqueued"] == len(self.model.jobs) + gone + self.model.dropped
        sound(self.q)

    @invariant()
    def a_worker_hears_the_bell_now_and_then(self) -> None:
        """So that the next ring shows."""
        if self.steps % 3:
            self.q.silence()
            self.model.bell = False

    def teardown(self) -> None:
        """All leases end, all jobs go: nothing is left but what is no job; no neighbour changed."""
        try:
            if self.differs:
                return
            self.request("configure", "paused", "")
            while self.model.members("running"):
                self.pass_ms(30 * HOUR_MS)
                self.send("reap", 500)
            for state in STATES:
                if state != "running":
                    self.send("purge", state, 500, "")
            self.pass_ms(30 * HOUR_MS)
            self.send("claim", "last", "w1", 1000, 1, 1)
            assert set(self.q.dump()) <= {"stats", "settings", "bell"}
            assert self.neighbour.dump() == self.beside
        finally:
            self.q.forget()
            self.neighbour.forget()

    # --- what rules need

    def pass_ms(self, ms: int) -> None:
        """Let time pass for both: by all scores that are compared with now."""
        self.cursors.clear()  # they hold scores
        moves = self.q.raw.pipeline(transaction=False)
        moved = expected_keys(self.model)
        for part in TIMED:
            for member in moved.get(part, {}):
                moves.zincrby(self.q.key(part), -ms * STAMPS, member)
        moves.execute()
        self.model.pass_ms(ms)

    def new_token(self) -> str:
        self.tokens.append(f"t{len(self.tokens)}")
        return self.tokens[-1]

    def new_id(self) -> str:
        self.made += 1
        return f"d{self.made}"


def plain(value: Any) -> Any:
    return value.decode("latin-1") if isinstance(value, bytes) else value


def _wire(argument: Any) -> Any:
    return argument.encode("latin-1") if isinstance(argument, str) else argument
