"""A walk of random calls, and after each of them a look at all keys by rules of its own."""

import random
from typing import Any

import pytest
from audited import sound
from queue_keys import HOUR_MS, STATES
from queue_state import QueueState

from boltq import scripts
from boltq.scripts import (
    AckDone,
    ExtendHeld,
    FailCancelled,
    FailDead,
    FailRetrying,
    ReleaseBack,
    ReleaseCancelled,
)

pytestmark = pytest.mark.everywhere

STEPS = 300
IDS = [f"j{n}" for n in range(40)]
ENDS = ("completed", "cancelled", "dead")
LIMITS = {"keep_completed": 5, "keep_cancelled": 4, "keep_dead": 6}
GONE = {(end, None) for end in ENDS}
LAPSED = {("running", state) for state in ("retrying", "queued", "dead", "cancelled", None)}
# By which arrows a verb may move a job.
ARROWS: dict[str, set[tuple[str | None, str | None]]] = {
    "enqueue": {(None, "queued"), (None, "scheduled")},
    "claim": GONE
    | LAPSED
    | {(old, new) for old in ("scheduled", "retrying") for new in ("queued", "running")}
    | {("queued", "running")},
    "ack": GONE | {("running", "completed"), ("running", None)},
    "fail": GONE | {("running", state) for state in ("retrying", "dead", "cancelled")},
    "extend": set(),
    "release": GONE | {("running", state) for state in ("queued", "scheduled", "cancelled")},
    "promote": {("scheduled", "queued"), ("retrying", "queued")},
    "reap": GONE | LAPSED,
    "cancel": GONE | {(state, "cancelled") for state in ("scheduled", "queued", "retrying")},
    "replay": {("dead", "queued")},
    "alter": {("queued", "scheduled"), ("scheduled", "queued"), ("retrying", "queued")},
    "purge": {(state, None) for state in STATES if state != "running"},
    "configure": set(),
    "inspect": set(),
    "list": set(),
    "time passes": set(),
}
HELD_ANSWERS = (
    *(AckDone, ExtendHeld, FailCancelled, FailDead, FailRetrying),
    *(ReleaseBack, ReleaseCancelled),
)


def states_of(dump: dict[str, Any]) -> dict[str, str]:
    """Name the one state of each job; fails if a job is in two sets."""
    entries = [(id, state) for state in STATES for id in dump.get(state, ())]
    states = dict(entries)
    assert len(states) == len(entries)
    return states


class Walk:
    """A queue, what it held before the last call, and a way to choose the next one."""

    def __init__(self, q: QueueState, seed: int) -> None:
        self.q, self.chance = q, random.Random(seed)
        self.before = q.dump()
        self.tokens = ["t0"]
        self.dropped = 0

    def some(self, most: int = 4) -> list[str]:
        return self.chance.sample(IDS, self.chance.randint(1, most))

    def pairs(self) -> list[tuple[str, str]]:
        """Name some jobs, most under the token that leases them, some under another."""
        leased = {id: value.split()[0].decode() for id, value in self.leases().items()}
        running = self.chance.sample(sorted(leased), min(3, len(leased)))
        return [
            (id, leased[id] if id in leased and self.chance.random() < 0.8 else self.a_token())
            for id in dict.fromkeys([*running, *self.some(2)])
        ]

    def a_token(self) -> str:
        return self.chance.choice(self.tokens[-5:])

    def leases(self) -> dict[str, bytes]:
        found: dict[str, bytes] = self.before.get("leases", {})
        return found

    def held(self, pairs: list[tuple[str, str]]) -> list[bool]:
        """Tell which are held: the lease is under the token, and its end was not moved to 0."""
        ends = self.before.get("running", {})
        return [
            self.leases().get(id, b"").startswith(token.encode() + b" ") and ends[id] > 0
            for id, token in pairs
        ]

    def report(self, verb: str, *more: Any, **options: Any) -> None:
        pairs = self.pairs()
        item = getattr(scripts, f"{verb.capitalize()}Item")
        items = [item(*pair, *more) for pair in pairs]
        answers = self.q.call(getattr(scripts, verb)(self.q.name, items, **options)).answers
        assert [isinstance(answer, HELD_ANSWERS) for answer in answers] == self.held(pairs)
        for (id, _), answer in zip(pairs, answers, strict=True):
            unknown = type(answer).__name__.endswith("Unknown")
            assert unknown == (id not in self.before.get("jobs", {}))

    # --- one method a verb

    def enqueue(self) -> None:
        known = self.before.get("jobs", {})
        ids = self.some(6)
        answers = self.q.enqueue(
            *ids,
            payload=b"x" * self.chance.choice([1, 5000]),
            delay_ms=self.chance.choice([0, 0, HOUR_MS]),
            priority=self.chance.randint(0, 9),
            max_attempts=2,
            max_lost=self.chance.randint(0, 1),
            base_ms=self.chance.choice([0, 1000]),
            retention_ms=self.chance.choice([None, 0, HOUR_MS]),
        )
        created = [isinstance(answer, scripts.EnqueueCreated) for answer in answers]
        assert created == [id not in known for id in ids]

    def claim(self) -> None:
        if self.chance.random() < 0.8:
            self.tokens.append(f"t{len(self.tokens)}")
        self.q.claim(self.a_token(), limit=self.chance.randint(1, 6), lease_ms=HOUR_MS)

    def ack(self) -> None:
        self.report("ack", b"done")

    def fail(self) -> None:
        final = self.chance.randint(0, 4) // 4
        self.report("fail", b"E", b"m", b"s", self.chance.choice(["", 0, HOUR_MS]), final)

    def extend(self) -> None:
        self.report("extend", lease_ms=2 * HOUR_MS)

    def release(self) -> None:
        self.report("release", self.chance.choice([0, HOUR_MS]))

    def promote(self) -> None:
        self.q.promote(limit=self.chance.randint(1, 5))

    def reap(self) -> None:
        self.q.reap(limit=self.chance.randint(1, 5))

    def cancel(self) -> None:
        self.q.cancel(*self.some())

    def replay(self) -> None:
        ids = self.some() if self.chance.random() < 0.5 else []
        items = [scripts.ReplayItem(id) for id in ids]
        self.q.call(scripts.replay(self.q.name, items, limit=2, cursor=""))

    def alter(self) -> None:
        chosen = self.chance.choice
        self.q.alter(
            *self.some(), priority=self.chance.randint(0, 9), delay_ms=chosen(["", 0, HOUR_MS])
        )

    def purge(self) -> None:
        ids = [scripts.PurgeItem(id) for id in self.some(2)]
        state = None
        if self.chance.random() < 0.2:
            ids, state = [], self.chance.choice([one for one in STATES if one != "running"])
        self.q.call(scripts.purge(self.q.name, ids, state=state, limit=2, cursor=""))

    def configure(self) -> None:
        self.q.configure(paused=self.chance.choice([0, 0, 1]))

    def inspect(self) -> None:
        ids = self.some()
        items = [scripts.InspectItem(id) for id in ids]
        states = states_of(self.before)
        answers = self.q.call(scripts.inspect(self.q.name, items, with_payload=1)).answers
        assert [getattr(one, "state", None) for one in answers] == [states.get(id) for id in ids]

    def list(self) -> None:
        state, order = self.chance.choice(STATES), self.chance.choice(["newest", "oldest"])
        shown = {job.id for job in self.q.call(self.q.list_call(state, order)).answers}
        assert shown == set(self.before.get(state, ()))

    def time_passes(self) -> None:
        part = self.chance.choice([state for state in STATES if state != "queued"])
        if ids := sorted(self.before.get(part, ())):
            self.q.make_due(part, self.chance.choice(ids))

    # --- after each call

    def check(self, verb: str) -> None:
        now = self.q.dump()
        old, new = states_of(self.before), states_of(now)
        moved = {(old.get(id), new.get(id)) for id in IDS if old.get(id) != new.get(id)}
        assert moved <= ARROWS[verb]

        def part(name: str) -> set[str]:
            return set(now.get(name, ()))

        assert part("jobs") == set(new)
        assert part("leases") == part("running")
        assert part("outcomes") == part("completed") | part("cancelled") | part("dead")
        assert part("payloads") | part("tries") <= part("jobs")
        assert part("claims") == part("claim_ends")
        assert now.get("bell", [b"1"]) == [b"1"]
        assert all(0 <= score < 2**53 for state in STATES for score in now.get(state, {}).values())
        for end in ENDS:
            assert len(part(end)) <= LIMITS[f"keep_{end}"]
        self.check_totals(verb, old, new, now)
        sound(self.q)
        self.before = now

    def check_totals(
        self, verb: str, old: dict[str, str], new: dict[str, str], now: dict[str, Any]
    ) -> None:
        total, past = (
            {name: int(value) for name, value in dump.get("stats", {}).items()}
            for dump in (now, self.before)
        )
        assert all(total[name] >= value for name, value in past.items())
        if verb == "ack":
            acked = total.get("completed", 0) - past.get("completed", 0)
            ended = [id for id in old if old[id] == "running" and new.get(id) != "running"]
            assert acked == len(ended)
            trimmed = total.get("trimmed", 0) - past.get("trimmed", 0)
            self.dropped += sum(id not in new for id in old) - trimmed
        left = ("purged", "trimmed", "dead_trimmed")
        gone = sum(total.get(name, 0) for name in left) + self.dropped
        assert total.get("enqueued", 0) == len(new) + gone
        assert "missing" not in total
        told = self.q.call(scripts.stats(self.q.name))
        assert [getattr(told, state) for state in STATES] == [
            len(now.get(state, ())) for state in STATES
        ]


@pytest.mark.parametrize("seed", [11, 12])
def test_after_any_calls_each_job_is_in_one_state_and_all_are_accounted_for(
    q: QueueState, seed: int
) -> None:
    q.configure(**LIMITS)
    walk = Walk(q, seed)
    taken = []
    weights = dict.fromkeys(ARROWS, 1) | {"enqueue": 4, "claim": 5, "time passes": 4, "ack": 2}
    for _ in range(STEPS):
        (verb,) = walk.chance.choices([*weights], [*weights.values()])
        getattr(walk, verb.replace(" ", "_"))()
        walk.check(verb)
        taken.append(verb)
    assert set(taken) == set(ARROWS)
    counted = {"completed", "failed", "lost", "died", "cancelled", "replayed", "purged", "trimmed"}
    assert counted | {"dead_trimmed"} <= set(q.dump()["stats"])
