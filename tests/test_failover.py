"""A replica takes its master's place: no scripts there, and the last writes may be lost."""

import hashlib
from collections.abc import Callable

import pytest
from audited import sound
from clusters import Node
from line import line_to
from queue_keys import Roads
from queue_state import QueueState
from replicas import KINDS, Pair, caught_up, promote, served
from servers import until
from workers import Gate, state, wait_for, working

from boltq import address, scripts
from boltq.evalsha import Server, sources


def shas() -> list[str]:
    return [hashlib.sha1(source.encode()).hexdigest() for source in sources().values()]


def fail_over(two_servers: Pair) -> None:
    """The master dies before the replica has heard its last words."""
    master, replica, stream = two_servers
    master.embedded.kill()
    stream.drop()
    promote(replica)


@pytest.mark.parametrize("two_servers", KINDS, indirect=True)
def test_what_the_replica_had_goes_on_there_although_it_knows_no_script(
    two_servers: Pair, queue_on: Callable[[Node], QueueState]
) -> None:
    master, replica, _ = two_servers
    before = queue_on(master)
    before.run("a", "b")
    before.enqueue("c")
    caught_up(master, replica)
    held = before.dump()
    fail_over(two_servers)
    after = queue_on(replica)
    assert after.dump() == held
    assert replica.raw.script_exists(*shas()) == [False] * len(shas())
    assert after.ack("a", "b") == [scripts.AckDone(), scripts.AckDone()]
    assert after.claimed("t2") == ["c"]
    sound(after)


def test_jobs_whose_enqueue_was_lost_are_not_known_and_their_ids_free(
    two_servers: Pair, queue_on: Callable[[Node], QueueState]
) -> None:
    master, replica, stream = two_servers
    before = queue_on(master)
    before.enqueue("kept")
    caught_up(master, replica)
    stream.stop("answers")
    assert before.enqueue("lost") == [scripts.EnqueueCreated("lost")]
    fail_over(two_servers)
    after = queue_on(replica)
    assert [state(after, id) for id in ("kept", "lost")] == ["queued", "unknown"]
    # Who repeats it, as after an answer that was lost, has it done now.
    assert after.enqueue("kept", "lost") == [
        scripts.EnqueueDuplicate("kept"),
        scripts.EnqueueCreated("lost"),
    ]
    sound(after)


def test_a_job_whose_ack_was_lost_runs_again_under_another_token(
    two_servers: Pair, queue_on: Callable[[Node], QueueState]
) -> None:
    master, replica, stream = two_servers
    before = queue_on(master)
    before.run("a", token="old")
    caught_up(master, replica)
    stream.stop("answers")
    assert before.ack("a", token="old") == [scripts.AckDone()]
    fail_over(two_servers)
    after = queue_on(replica)
    assert after.states("a") == ["running"]
    after.make_due("running", "a")
    after.reap()
    after.make_due("retrying", "a")
    assert after.claimed("new") == ["a"]
    # The ack is as if it had never been; so is its repeat, whatever it was answered before.
    assert after.ack("a", token="old") == [scripts.AckLeaseLost()]
    assert after.ack("a", token="new") == [scripts.AckDone()]
    assert after.call(scripts.stats(after.name)).completed_total == 1
    sound(after)


def test_a_lease_that_the_replica_has_never_heard_of_is_refused(
    two_servers: Pair, queue_on: Callable[[Node], QueueState]
) -> None:
    master, replica, stream = two_servers
    before = queue_on(master)
    before.enqueue("a")
    caught_up(master, replica)
    stream.stop("answers")
    before.enqueue("gone")
    assert before.claimed("old") == ["a", "gone"]
    fail_over(two_servers)
    after = queue_on(replica)
    assert after.claimed("new") == ["a"]
    held = after.dump()
    assert after.ack("a", "gone", token="old") == [scripts.AckLeaseLost(), scripts.AckUnknown()]
    assert after.fail("a", "gone", token="old") == [scripts.FailLeaseLost(), scripts.FailUnknown()]
    assert after.extend("a", "gone", token="old") == [
        scripts.ExtendLeaseLost(),
        scripts.ExtendUnknown(),
    ]
    assert after.release("a", token="old") == [scripts.ReleaseLeaseLost()]
    # Nor does the claim's own repeat bring back what it had been given.
    assert after.claimed("old") == []
    assert after.dump()["running"] == held["running"]
    assert after.dump()["leases"] == held["leases"]
    sound(after)


def test_order_and_fence_stay_ahead_of_all_that_was_given_before(
    two_servers: Pair, queue_on: Callable[[Node], QueueState]
) -> None:
    master, replica, stream = two_servers
    before = queue_on(master)
    before.enqueue("a", "b")
    caught_up(master, replica)
    stream.stop("answers")
    given = []
    for n in range(20):  # stamps that the replica never hears of
        before.enqueue(f"lost{n}")
        claimed = before.claim(f"t{n}", limit=1)
        assert isinstance(claimed, scripts.Claimed)
        given += [job.fence for job in claimed.answers]
    fail_over(two_servers)
    after = queue_on(replica)
    after.enqueue("c")
    claimed = after.claim("new")
    assert isinstance(claimed, scripts.Claimed)
    assert [job.id for job in claimed.answers] == ["a", "b", "c"]
    assert min(job.fence for job in claimed.answers) > max(given)


def test_a_worker_drops_an_ack_that_the_new_master_knows_nothing_of(
    two_servers: Pair, queue: str, queue_on: Callable[[Node], QueueState]
) -> None:
    master, replica, stream = two_servers
    gate = Gate()
    queue_on(master).enqueue("a", type="t")
    caught_up(master, replica)
    with line_to(("127.0.0.1", master.port)) as line:
        road = Server(address.parse(line.address))
        q = QueueState(served(master), queue, Roads(road, master.raw))
        with working(q, {"t": gate}, lease_seconds=20):
            until(lambda: gate.came)
            stream.stop("answers")
            queue_on(master).enqueue("lost", type="t")
            until(lambda: len(gate.came) == 2)
            fail_over(two_servers)
            line.lead_to(("127.0.0.1", replica.port))
            gate.open.set()
            after = queue_on(replica)
            wait_for(after, "completed", "a")
            after.enqueue("next", type="t")
            wait_for(after, "completed", "next")
        road.close()
    assert [job.inner_id for job in gate.came].count("lost") == 1
    assert state(after, "lost") == "unknown"
    sound(after)
