"""One rule for each invariant: the steps that random search finds late, or not at all.

Each of them runs in whatever state the queue is, with a job of its own, and says what has to come
out by itself, besides that the model agrees.
"""

from hypothesis import strategies as st
from hypothesis.stateful import rule
from job_model import STATES
from queue_keys import HOUR_MS
from steps import LATER_MS, LEASE_MS, Steps

WAITING = ("scheduled", "queued", "running", "retrying")
REPORTS = ("ack", "fail", "release", "extend")


class Directed(Steps):
    """The machine with its directed rules."""

    # --- I1, I7: an enqueue that was answered is kept, once, until it is purged

    @rule()
    def an_id_is_taken_as_long_as_its_job_is_kept(self) -> None:
        id, token = self.fresh()
        for verb in (None, "ack"):
            if verb:
                assert self.report(verb, id, token) == "DONE"
            before = self.q.dump()
            self.add(id)
            assert self.q.dump() == before
        assert self.send("purge", "", 1, "", id, "")[4] == "GONE"
        assert self.report("ack", id, token) == "UNKNOWN"
        self.add(id)
        assert self.state(id) == "queued"

    # --- I3, I4: one live lease, and nobody else is heard

    @rule(verb=st.sampled_from(REPORTS))
    def a_lease_that_ran_out_is_not_heard_before_the_reaper_came(self, verb: str) -> None:
        id, token = self.fresh()
        self.lapse(id)
        before = self.q.dump()
        assert self.report(verb, id, token) == "LEASE_LOST"
        assert self.q.dump() == before
        assert self.state(id) == "running"

    @rule(verb=st.sampled_from(REPORTS))
    def a_lease_that_was_reaped_is_not_heard(self, verb: str) -> None:
        id, token = self.fresh()
        self.lapse(id)
        self.reap_all()
        assert self.report(verb, id, token) == "LEASE_LOST"
        assert self.state(id) == "queued"

    @rule(verb=st.sampled_from(REPORTS))
    def a_worker_that_comes_back_does_not_touch_the_job_of_another(self, verb: str) -> None:
        id, old = self.fresh()
        self.lapse(id)
        self.reap_all()
        new = self.take(id)
        before = self.q.dump()
        assert self.report(verb, id, old) == "LEASE_LOST"
        assert self.q.dump() == before
        assert self.report("ack", id, new) == "DONE"
        assert self.report("ack", id, old) == "LEASE_LOST"
        assert self.report("ack", id, new) == "ALREADY"

    @rule()
    def a_leased_job_is_handed_to_nobody_else(self) -> None:
        id, token = self.fresh()
        other = self.request("claim", self.new_token(), "w2", LEASE_MS, 500, 4_000_000)
        assert other[0] == "EMPTY" or id not in other[4::11]
        assert self.report("extend", id, token) == "HELD"

    @rule()
    def a_lease_is_never_shortened(self) -> None:
        id, token = self.fresh()
        long = self.request("extend", 5 * HOUR_MS, "", id, token)[3]
        assert self.request("extend", 100, "", id, token)[3] == long
        self.pass_ms(LATER_MS)
        assert self.report("ack", id, token) == "DONE"

    @rule()
    def a_fence_only_grows(self) -> None:
        id, token = self.fresh()
        fences = [self.send("claim", token, "w1", LEASE_MS, 1, 1)]
        assert self.report("release", id, token) == "BACK"
        fences.append(self.send("claim", self.take(id), "w1", LEASE_MS, 1, 1))
        first, second = (told[told.index(id) + 7] for told in fences)
        assert first < second

    # --- I5: attempts

    @rule(most=st.integers(1, 3))
    def a_job_dies_at_its_last_failure_and_a_replay_gives_it_as_many_again(self, most: int) -> None:
        id, token = self.fresh(max_attempts=most)
        for _ in range(2):
            for n in range(1, most + 1):
                assert self.report("release", id, token) == "BACK"  # uses none
                token = self.take(id)
                assert self.report("fail", id, token) == ("DEAD" if n == most else "RETRYING")
                assert self.report("fail", id, token) == "ALREADY"
                if n < most:
                    self.send("promote", 500)
                    token = self.take(id)
            assert self.state(id) == "dead"
            assert self.request("replay", 1, "", id)[4] == "QUEUED"
            assert self.report("fail", id, token) == "ALREADY"
            token = self.take(id)
        assert self.report("ack", id, token) == "DONE"

    @rule(most=st.integers(0, 2))
    def a_job_that_loses_one_lease_too_many_is_dead(self, most: int) -> None:
        id, token = self.fresh(max_lost=most, max_attempts=1)
        for n in range(1, most + 2):
            self.lapse(id)
            self.reap_all()
            assert self.state(id) == ("dead" if n == most + 1 else "queued")
            if n <= most:
                told = self.request("claim", token, "w1", LEASE_MS, 1, 1)
                assert id not in told[4::11]
                token = self.take(id)
                told = self.send("claim", token, "w1", LEASE_MS, 9, 4_000_000)
                assert told[4::11] == [id]  # alone

    # --- I8: order

    @rule()
    def within_a_priority_the_first_in_is_the_first_out(self) -> None:
        self.ready()
        made = [self.new_id() for _ in range(3)]
        self.add(*made)
        before = [job.id for job in self.model.members("queued")]
        handed: list[str] = []
        while not set(made) <= set(handed):
            told = self.request("claim", self.new_token(), "w1", LEASE_MS, 2, 4_000_000)
            handed += told[4::11]
        told_ones = [id for id in handed if id in made]
        assert told_ones == made == [id for id in before if id in made]

    @rule()
    def a_delayed_job_comes_when_it_is_due_and_not_before(self) -> None:
        self.ready()
        id = self.new_id()
        self.add(id, delay_ms=HOUR_MS)
        self.pass_ms(HOUR_MS - 30_000)
        self.send("promote", 500)
        assert self.state(id) == "scheduled"
        self.pass_ms(60_000)
        self.take(id)

    # --- I9: progress

    @rule()
    def whatever_waits_is_handed_out_in_the_end(self) -> None:
        self.ready()
        for _ in range(100):
            self.pass_ms(30 * HOUR_MS)
            told = self.request("claim", self.new_token(), "w1", LEASE_MS, 500, 4_000_000)
            if not any(self.model.members(state) for state in WAITING):
                break
            for id in told[4::11]:
                assert self.report("ack", id, self.tokens[-1]) == "DONE"
        assert self.send("stats")[2:6] == [0] * len(WAITING)

    @rule()
    def a_bell_waits_wherever_a_job_does(self) -> None:
        self.ready()
        self.q.silence()
        self.model.bell = False
        self.add(self.new_id())
        assert self.q.bell() == 1

    # --- I10: twice is once

    @rule(paused=st.sampled_from(["", "1"]))
    def a_claim_sent_again_answers_what_is_still_leased_also_when_paused(self, paused: str) -> None:
        self.ready()
        kept, done = self.new_id(), self.new_id()
        self.add(kept, done)
        first, second = self.take(kept), ""
        told = self.send("claim", first, "w1", LEASE_MS, 100, 4_000_000)
        second = first if done in told[4::11] else self.take(done)
        self.add(self.new_id())
        assert self.report("ack", done, second) == "DONE"
        self.request("configure", "paused", paused)
        before = self.q.dump()
        told = self.send("claim", first, "w3", LEASE_MS, 1, 1)
        assert told[0] == "CLAIMED"
        assert kept in told[4::11]
        assert done not in told[4::11]
        assert self.q.dump() == before

    @rule(verb=st.sampled_from(["ack", "fail", "release"]))
    def a_report_sent_again_changes_nothing(self, verb: str) -> None:
        id, token = self.fresh()
        assert self.report(verb, id, token) in ("DONE", "RETRYING", "BACK")
        before = self.q.dump()
        assert self.report(verb, id, token) == "ALREADY"
        others = [other for other in ("ack", "fail", "release") if other != verb]
        assert {self.report(other, id, token) for other in others} == {"LEASE_LOST"}
        assert self.q.dump() == before

    # --- cancel

    @rule(verb=st.sampled_from(["ack", "fail", "release", "reap"]))
    def an_ack_wins_over_a_cancel_and_whatever_else_ends_the_lease_does_not(
        self, verb: str
    ) -> None:
        id, token = self.fresh()
        assert self.request("cancel", id)[2] == "ASKED"
        assert self.request("extend", LEASE_MS, "", id, token)[4] == 1
        if verb == "reap":
            self.pass_ms(LATER_MS)
            self.reap_all()
        else:
            assert self.report(verb, id, token) == ("DONE" if verb == "ack" else "CANCELLED")
        assert self.state(id) == ("completed" if verb == "ack" else "cancelled")

    # --- what is shut out

    @rule(place=st.integers(0, 9999))
    def a_queue_that_needs_more_refuses_this_level_and_stays_as_it_is(self, place: int) -> None:
        if not self.sent:
            return
        verb, argv = self.sent[place % len(self.sent)]
        self.send("configure", "needs", "2")  # not to be sent again: it would shut out all the rest
        assert self.send(verb, *argv)[0] == "UPGRADE"
        for reading in (
            ("stats",),
            ("recall", "t0"),
            ("list", STATES[place % 7], "newest", 1, "", *[""] * 5, 1),
            ("alter", "j0", 1, "", ""),
            ("inspect", 1, "j0"),
        ):
            assert self.send(*reading)[0] == "UPGRADE"
        self.q.raw.hdel(self.q.key("settings"), "needs")
        del self.model.settings.stored["needs"]
