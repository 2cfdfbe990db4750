"""The state machine: one rule a verb, and what happens to requests on their way.

Calls come from three workers, in batches; any of them may be sent again, at once or late. Rules
that search for one invariant each are in directed.py.
"""

from typing import Any

from compared import REFUSALS, Compared
from drawn import (
    HELD,
    LARGE,
    NEW_JOBS,
    OPTIONS,
    SEARCHES,
    SETTINGS,
    TOLD,
    delays,
    limits,
    pauses,
    pick,
    places,
    priorities,
    some_jobs,
)
from hypothesis import strategies as st
from hypothesis.stateful import initialize, rule
from job_model import STATES
from queue_keys import HOUR_MS

# Sent again at once, these change nothing; the others go on: with time, or with the next jobs.
SAME_TWICE = ("enqueue", "ack", "fail", "release", "cancel", "configure")


class Machine(Compared):
    """What any callers may do to a queue."""

    def held(self, chosen: list[tuple[int, int]]) -> list[tuple[str, str]]:
        """Name jobs and tokens: of five, four that are leased, under their own token.

        Where none is, one is claimed. A rule that is open only while one runs would be open at one
        time and not at another, as leases run out by the server's clock; the same choices must
        mean the same.
        """
        if not self.model.members("running"):
            self.claim("w1", HOUR_MS, 1, 4_000_000)
        running = sorted(job.id for job in self.model.jobs.values() if job.lease)
        known = sorted(self.model.jobs) or ["j0"]
        found = []
        for place, chance in chosen:
            lease = self.model.jobs[running[place % len(running)]].lease if running else None
            if lease and chance:
                found.append((running[place % len(running)], lease.token))
            else:
                found.append((known[place % len(known)], self.tokens[-1 - place % 5 :][0]))
        return found

    def named(self, chosen: list[int]) -> list[str]:
        """Name jobs that are kept; one in ten is none, or was."""
        known = [*sorted(self.model.jobs), f"j{chosen[0] % 8}"] if chosen else []
        return [known[place % len(known)] if place % 10 else f"j{place % 8}" for place in chosen]

    # --- one rule a verb

    @initialize(options=OPTIONS, places=st.integers(0, 3))
    def some_jobs_are_there(self, options: str, places: int) -> None:
        self.enqueue(options, [(f"j{n}", "echo", "{}", "") for n in range(6)])
        self.enqueue("", [(f"j{n}", "echo", "", "") for n in (6, 7)])
        self.claim("w1", HOUR_MS, 1 + places, 4_000_000)

    @rule(options=OPTIONS, jobs=NEW_JOBS)
    def work_comes(self, options: str, jobs: list[tuple[str, ...]]) -> None:
        self.enqueue(options, jobs)
        self.claim("w2", HOUR_MS, 4, 4_000_000)

    @rule(options=OPTIONS, jobs=NEW_JOBS)
    def enqueue(self, options: str, jobs: list[tuple[str, ...]]) -> None:
        named = all(id for id, *_ in jobs)
        items = [(id, type, LARGE.get(payload, payload), more) for id, type, payload, more in jobs]
        send = self.request if named else self.send  # an id that is made up is new each time
        send("enqueue", options, *(part for item in items for part in item))

    @rule(
        worker=st.sampled_from(["w1", "w2", "w 3"]),
        lease_ms=st.sampled_from([10_000, HOUR_MS]),
        limit=limits,
        max_bytes=st.sampled_from([1, 6_000, 4_000_000]),
    )
    def claim(self, worker: str, lease_ms: int, limit: int, max_bytes: int) -> None:
        self.request("claim", self.new_token(), worker, lease_ms, limit, max_bytes)

    @rule(jobs=HELD, result=st.sampled_from(["", "ok", "\x00\n\xff!", "too long"]), told=TOLD)
    def ack(self, jobs: list[tuple[int, int]], result: str, told: str) -> None:
        self.request("ack", told, *(x for pair in self.held(jobs) for x in (*pair, result)))

    @rule(
        jobs=HELD,
        delay_ms=pauses,
        final=st.sampled_from([0, 0, 0, 1]),
        length=st.sampled_from([1, 3000]),
        told=TOLD,
    )
    def fail(
        self, jobs: list[tuple[int, int]], delay_ms: Any, final: int, length: int, told: str
    ) -> None:
        error = ("E" * length, "m" * length, "s" * length, delay_ms, final)
        self.request("fail", told, *(x for pair in self.held(jobs) for x in (*pair, *error)))

    @rule(jobs=HELD, lease_ms=st.sampled_from([5_000, 2 * HOUR_MS]), told=TOLD)
    def extend(self, jobs: list[tuple[int, int]], lease_ms: int, told: str) -> None:
        self.request("extend", lease_ms, told, *(x for pair in self.held(jobs) for x in pair))

    @rule(jobs=HELD, delay_ms=delays, told=TOLD)
    def release(self, jobs: list[tuple[int, int]], delay_ms: int, told: str) -> None:
        self.request("release", told, *(x for pair in self.held(jobs) for x in (*pair, delay_ms)))

    @rule(limit=limits)
    def promote(self, limit: int) -> None:
        self.request("promote", limit)

    @rule(limit=limits)
    def reap(self, limit: int) -> None:
        self.request("reap", limit)

    @rule(jobs=some_jobs)
    def cancel(self, jobs: list[int]) -> None:
        self.request("cancel", *self.named(jobs))

    @rule(jobs=st.one_of(st.just([]), some_jobs), limit=limits)
    def replay(self, jobs: list[int], limit: int) -> None:
        told = self.request("replay", limit, "", *self.named(jobs))
        self.keep_cursor("replay", "dead", told)

    @rule(
        jobs=st.one_of(st.just([]), some_jobs),
        state=st.sampled_from(STATES),
        limit=limits,
        chance=st.sampled_from([0, 0, 1, 2]),
    )
    def purge(self, jobs: list[int], state: str, limit: int, chance: int) -> None:
        if state != "running":
            named = [x for id in self.named(jobs) for x in (id, self.seen_at(id, chance))]
            told = self.request("purge", "" if jobs else state, limit, "", *named)
            self.keep_cursor("purge", state, told)

    @rule(empties=st.booleans())
    def drop(self, empties: bool) -> None:  # noqa: FBT001 - drawn by name
        for state in STATES if empties and not self.model.members("running") else ():
            if state != "running":
                self.send("purge", state, 500, "")
        assert self.send("drop")[0] == ("NOT_EMPTY" if self.model.jobs else "DROPPED")

    @rule(settings=st.lists(SETTINGS, max_size=3))
    def configure(self, settings: list[tuple[str, str]]) -> None:
        self.request("configure", *(x for setting in settings for x in setting))

    @rule(jobs=some_jobs, with_payload=st.integers(0, 1))
    def inspect(self, jobs: list[int], with_payload: int) -> None:
        self.send("inspect", with_payload, *self.named(jobs))

    @rule(state=st.sampled_from(STATES), newest=st.booleans(), limit=limits)
    def list_(self, state: str, newest: bool, limit: int) -> None:  # noqa: FBT001 - drawn by name
        order = "newest" if newest else "oldest"
        seen: list[str] = []
        cursor, more = "", True
        while more:
            told = self.send("list", state, order, limit, cursor, *[""] * 5, 1)
            seen += told[6::22]
            cursor = told[2]
            more = bool(cursor)
        wanted = [job.id for job in self.model.members(state)]
        assert seen == (wanted[::-1] if newest else wanted)

    @rule(state=st.sampled_from(STATES), asked=SEARCHES, limit=limits, scan=st.integers(1, 5))
    def search(self, state: str, asked: tuple[Any, ...], limit: int, scan: int) -> None:
        newest, *about = asked
        argv = (state, "newest" if newest else "oldest", limit)
        cursor, scanned, seen, more = "", 0, [], True
        while more:
            told = self.send("list", *argv, cursor, *about, scan)
            cursor, scanned = told[2], scanned + told[3]
            seen += told[6::22]
            more = bool(cursor)
        assert scanned == told[4]
        assert len(set(seen)) == len(seen)

    @rule(jobs=some_jobs, priority=priorities, delay_ms=pauses, places=places)
    def alter(self, jobs: list[int], priority: Any, delay_ms: Any, places: list[int]) -> None:
        if priority == delay_ms == "":
            return
        items = []
        for id, chance in zip(self.named(jobs), places, strict=False):
            items.append((id, self.seen_at(id, chance)))
        self.request("alter", *(x for id, place in items for x in (id, priority, delay_ms, place)))

    def seen_at(self, id: str, chance: int) -> str:
        """Name no place, that where the job is, or one where it was."""
        here = self.model._place(self.model.jobs[id]) if id in self.model.jobs else "nowhere"
        self.places.append((id, here))
        return ("", here)[chance] if chance < 2 else self.place_before(id)

    def place_before(self, id: str) -> str:
        """Name the first place at which the job was seen of late."""
        return next(place for seen, place in self.places if seen == id)

    @rule()
    def stats(self) -> None:
        self.send("stats")

    @rule()
    def recall(self) -> None:
        self.send("recall", *list(self.model.claims)[-90:], "never")

    # --- and what happens to requests, and to all

    @rule(ms=st.sampled_from([1_000, 7_000, 60_000, 3 * HOUR_MS]))
    def time_passes(self, ms: int) -> None:
        self.pass_ms(ms)
        self.look()

    @rule()
    def the_last_request_arrives_twice(self) -> None:
        if self.sent:
            verb, argv = self.sent[-1]
            told, before = self.send(verb, *argv), self.q.dump()
            self.send(verb, *argv)
            if verb in SAME_TWICE or told[0] == "CLAIMED":
                assert self.q.dump() == before

    @rule(place=pick)
    def a_request_arrives_late(self, place: int) -> None:
        if self.sent:
            verb, argv = self.sent[place % len(self.sent)]
            self.send(verb, *argv)

    @rule(place=pick)
    def a_sweep_goes_on(self, place: int) -> None:
        if self.cursors:
            verb, state, cursor = self.cursors[place % len(self.cursors)]
            argv: tuple[Any, ...] = (2, cursor) if verb == "replay" else (state, 2, cursor)
            self.keep_cursor(verb, state, self.send(verb, *argv))

    def keep_cursor(self, verb: str, state: str, told: list[Any]) -> None:
        if told[0] not in REFUSALS and told[3]:
            self.cursors.append((verb, state, told[3]))
