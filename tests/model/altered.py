"""Rules for jobs that are altered while they rest: one for each thing that must hold then."""

from typing import Any

from directed import Directed
from hypothesis import strategies as st
from hypothesis.stateful import rule
from queue_keys import HOUR_MS, PRIORITY_STEP
from steps import LATER_MS, LEASE_MS

STATES = st.sampled_from(["scheduled", "queued", "retrying"])
PRIORITIES = st.integers(0, 9)
PLACE = 23  # in an answer of inspect, of its first job


class Altered(Directed):
    """The machine with the rules for alter, too."""

    def resting(self, state: str, **options: Any) -> str:
        """A job of its own that rests in a state, for an hour or until it is claimed."""
        self.ready()
        id = self.new_id()
        self.add(id, delay_ms=HOUR_MS if state == "scheduled" else 0, **options)
        if state == "retrying":
            token = self.take(id)
            self.request("fail", "", id, token, "E", "m", "s", HOUR_MS, 0)
        assert self.state(id) == state
        return id

    def change(self, id: str, priority: Any = "", delay_ms: Any = "", place: str = "") -> str:
        """Alter one job; the word of the answer."""
        word: str = self.request("alter", id, priority, delay_ms, place)[2]
        return word

    def place(self, id: str) -> str:
        return str(self.send("inspect", 0, id)[PLACE])

    @rule(state=STATES, priority=PRIORITIES)
    def a_new_priority_holds_for_all_that_comes_until_the_job_is_done(
        self, state: str, priority: int
    ) -> None:
        id = self.resting(state)
        assert self.change(id, priority) == "CHANGED"
        self.pass_ms(LATER_MS)
        token = self.take(id)
        for verb in ("release", "fail"):
            assert self.report(verb, id, token) in ("BACK", "RETRYING")
            self.send("promote", 500)
            assert self.q.read("queued")[id] // PRIORITY_STEP == 9 - priority
            token = self.take(id)
        assert self.report("ack", id, token) == "DONE"

    @rule(priority=PRIORITIES)
    def a_queued_job_keeps_its_turn_among_those_of_its_new_priority(self, priority: int) -> None:
        self.ready()
        first, middle, last = (self.new_id() for _ in range(3))
        for id, given in ((first, ""), (middle, priority), (last, "")):
            self.add(id, priority=given)
        assert self.change(first, priority) == self.change(last, priority) == "CHANGED"
        order = [id for id in self.q.order("queued") if id in (first, middle, last)]
        assert order == [first, middle, last]

    @rule(state=STATES)
    def what_is_to_run_now_is_handed_out_and_not_before(self, state: str) -> None:
        id = self.resting(state)
        assert self.change(id, "", HOUR_MS) == "CHANGED"
        told = self.request("claim", self.new_token(), "w1", LEASE_MS, 500, 4_000_000)
        assert told[0] == "EMPTY" or id not in told[4::11]
        assert self.change(id, "", 0) == "CHANGED"
        self.take(id)

    @rule(state=STATES, priority=st.sampled_from(["", 2, 9]), delay_ms=st.sampled_from([0, 9000]))
    def altered_twice_at_one_place_is_altered_once(
        self, state: str, priority: Any, delay_ms: int
    ) -> None:
        id = self.resting(state)
        place = self.place(id)
        assert self.change(id, priority, delay_ms, place) == "CHANGED"
        before, moved = self.q.dump(), self.place(id) != place
        word = self.change(id, priority, delay_ms, place)
        assert word == ("ALREADY" if moved else "CHANGED")
        assert self.q.dump() == before

    @rule(state=STATES, way=st.sampled_from(["claim", "cancel", "purge", "priority", "delay"]))
    def a_job_that_has_left_its_place_is_not_altered_there(self, state: str, way: str) -> None:
        id = self.resting(state)
        place = self.place(id)
        match way:
            case "claim":
                self.change(id, "", 0)
                self.take(id)
            case "cancel":
                self.request("cancel", id)
            case "purge":
                self.send("purge", "", 1, "", id, "")
            case "priority":
                self.change(id, 3)
            case "delay":
                self.change(id, "", 3 * HOUR_MS)
        before = self.q.dump()
        assert self.change(id, 8, 5000, place) == ("UNKNOWN" if way == "purge" else "MOVED")
        assert self.q.dump() == before

    @rule()
    def a_running_job_and_its_lease_are_left_alone(self) -> None:
        id, token = self.fresh()
        before = self.q.dump()
        assert self.change(id, 9, 0) == "RUNNING"
        assert self.q.dump() == before
        assert self.report("ack", id, token) == "DONE"
        assert self.change(id, 9, 0) == "FINISHED"

    @rule()
    def what_is_put_off_is_silent_and_what_is_queued_rings(self) -> None:
        id = self.resting("scheduled")
        self.q.silence()
        self.model.bell = False
        self.change(id, "", 40 * HOUR_MS)
        quiet = self.q.bell()
        self.change(id, "", 0)
        assert (quiet, self.q.bell()) == (0, 1)
