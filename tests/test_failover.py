"""A replica takes its master's place: no scripts there, and the last writes may be lost."""

import hashlib
import threading
from collections.abc import Callable, Iterator

import pytest
from audited import sound
from clusters import Node
from line import Line, line_to
from queue_keys import Roads
from queue_state import QueueState
from replicas import caught_up, follow, kinds, pair, promote, served
from servers import until
from workers import Gate, state, wait_for, working

from boltq import address, scripts
from boltq.errors import Unavailable
from boltq.evalsha import Bells, Server, sources

KINDS = ["redis", "valkey"]
Pair = tuple[Node, Node, Line]


@pytest.fixture(params=kinds("redis"))
def two(request: pytest.FixtureRequest) -> Iterator[Pair]:
    with pair(request.param) as found:
        yield found


@pytest.fixture
def on(queue: str) -> Iterator[Callable[[Node], QueueState]]:
    """The queue as one of the servers has it."""
    roads: list[Server] = []

    def at(node: Node) -> QueueState:
        roads.append(Server(address.parse(node.address), patience_seconds=5))
        return QueueState(served(node), queue, Roads(roads[-1], node.raw))

    yield at
    for road in roads:
        road.close()


def shas() -> list[str]:
    return [hashlib.sha1(source.encode()).hexdigest() for source in sources().values()]


def fail_over(two: Pair) -> None:
    """The master dies before the replica has heard its last words."""
    master, replica, stream = two
    master.embedded.kill()
    stream.drop()
    promote(replica)


@pytest.mark.parametrize("two", KINDS, indirect=True)
def test_what_the_replica_had_goes_on_there_although_it_knows_no_script(
    two: Pair, on: Callable[[Node], QueueState]
) -> None:
    master, replica, _ = two
    before = on(master)
    before.run("a", "b")
    before.enqueue("c")
    caught_up(master, replica)
    held = before.dump()
    fail_over(two)
    after = on(replica)
    assert after.dump() == held
    assert replica.raw.script_exists(*shas()) == [False] * len(shas())
    assert after.ack("a", "b") == [scripts.AckDone(), scripts.AckDone()]
    assert after.claimed("t2") == ["c"]
    sound(after)


def test_jobs_whose_enqueue_was_lost_are_not_known_and_their_ids_free(
    two: Pair, on: Callable[[Node], QueueState]
) -> None:
    master, replica, stream = two
    before = on(master)
    before.enqueue("kept")
    caught_up(master, replica)
    stream.stop("answers")
    assert before.enqueue("lost") == [scripts.EnqueueCreated("lost")]
    fail_over(two)
    after = on(replica)
    assert [state(after, id) for id in ("kept", "lost")] == ["queued", "unknown"]
    # Who repeats it, as after an answer that was lost, has it done now.
    assert after.enqueue("kept", "lost") == [
        scripts.EnqueueDuplicate("kept"),
        scripts.EnqueueCreated("lost"),
    ]
    sound(after)


def test_a_job_whose_ack_was_lost_runs_again_under_another_token(
    two: Pair, on: Callable[[Node], QueueState]
) -> None:
    master, replica, stream = two
    before = on(master)
    before.run("a", token="old")
    caught_up(master, replica)
    stream.stop("answers")
    assert before.ack("a", token="old") == [scripts.AckDone()]
    fail_over(two)
    after = on(replica)
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
    two: Pair, on: Callable[[Node], QueueState]
) -> None:
    master, replica, stream = two
    before = on(master)
    before.enqueue("a")
    caught_up(master, replica)
    stream.stop("answers")
    before.enqueue("gone")
    assert before.claimed("old") == ["a", "gone"]
    fail_over(two)
    after = on(replica)
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
    two: Pair, on: Callable[[Node], QueueState]
) -> None:
    master, replica, stream = two
    before = on(master)
    before.enqueue("a", "b")
    caught_up(master, replica)
    stream.stop("answers")
    given = []
    for n in range(20):  # stamps that the replica never hears of
        before.enqueue(f"lost{n}")
        claimed = before.claim(f"t{n}", limit=1)
        assert isinstance(claimed, scripts.Claimed)
        given += [job.fence for job in claimed.answers]
    fail_over(two)
    after = on(replica)
    after.enqueue("c")
    claimed = after.claim("new")
    assert isinstance(claimed, scripts.Claimed)
    assert [job.id for job in claimed.answers] == ["a", "b", "c"]
    assert min(job.fence for job in claimed.answers) > max(given)


def test_a_worker_drops_an_ack_that_the_new_master_knows_nothing_of(
    two: Pair, queue: str, on: Callable[[Node], QueueState]
) -> None:
    master, replica, stream = two
    gate = Gate()
    on(master).enqueue("a", type="t")
    caught_up(master, replica)
    with line_to(("127.0.0.1", master.port)) as line:
        road = Server(address.parse(line.address))
        q = QueueState(served(master), queue, Roads(road, master.raw))
        with working(q, {"t": gate}, lease_seconds=5):
            until(lambda: gate.came)
            stream.stop("answers")
            on(master).enqueue("lost", type="t")
            until(lambda: len(gate.came) == 2)
            fail_over(two)
            line.lead_to(("127.0.0.1", replica.port))
            gate.open.set()
            after = on(replica)
            wait_for(after, "completed", "a")
            after.enqueue("next", type="t")
            wait_for(after, "completed", "next")
        road.close()
    assert [job.inner_id for job in gate.came].count("lost") == 1
    assert state(after, "lost") == "unknown"
    sound(after)


def test_a_master_that_was_made_a_replica_is_left_for_the_one_at_its_address(
    two: Pair, on: Callable[[Node], QueueState]
) -> None:
    master, replica, _ = two
    before = on(master)
    before.enqueue("a")
    caught_up(master, replica)
    # An address behind which another may stand, as a name or a balancer has it.
    with line_to(("127.0.0.1", master.port)) as line:
        road = Server(address.parse(line.address))
        bells = Bells(road)
        assert road.call(scripts.stats(before.name)).queued == 1  # both have connections now
        bells.wait([before.name], 0.001)
        promote(replica)
        master.raw.execute_command("REPLICAOF", "127.0.0.1", replica.port)
        line.lead_to(("127.0.0.1", replica.port))
        reply = road.call(before.claim_call("t1"))
        assert isinstance(reply, scripts.Claimed)
        with pytest.raises(Unavailable):
            bells.wait([before.name], 0.001)
        assert bells.wait([before.name], 0.001) in {None, before.name}
        road.close()
        bells.close()
    after = on(replica)
    assert after.states("a") == ["running"]
    sound(after)


def test_a_call_to_a_demoted_master_is_named_and_leaves_no_half_of_a_write(
    two: Pair, on: Callable[[Node], QueueState]
) -> None:
    master, replica, _ = two
    q = on(master)
    q.run("a")
    q.enqueue("b")
    caught_up(master, replica)
    held = q.dump()
    promote(replica)
    follow(master, replica.port)
    hasty = Server(address.parse(master.address), patience_seconds=0)
    for call in (
        q.claim_call("t2"),
        scripts.enqueue(q.name, [scripts.EnqueueItem("c", "t", b"", b"")], delay_ms=0),
        scripts.ack(q.name, [scripts.AckItem("a", "t1", b"")]),
    ):
        with pytest.raises(Unavailable):
            hasty.call(call)
        with pytest.raises(Unavailable):
            hasty.call_all([call])
    hasty.close()
    assert q.dump() == held
    sound(on(replica))


@pytest.mark.parametrize("two", KINDS, indirect=True)
def test_two_masters_for_a_while_and_then_one_leave_a_sound_queue(
    two: Pair, on: Callable[[Node], QueueState]
) -> None:
    master, replica, stream = two
    one = on(master)
    one.enqueue(*(f"j{n}" for n in range(20)))
    caught_up(master, replica)
    stream.stop("answers")
    promote(replica)  # and nobody has told the master
    other = on(replica)
    ran: list[tuple[str, str]] = []

    def work(q: QueueState, side: str) -> None:
        for n in range(4):
            ids = q.claimed(f"{side}{n}", limit=3)
            assert q.ack(*ids, token=f"{side}{n}") == [scripts.AckDone()] * len(ids)
            ran.extend((id, side) for id in ids)
        q.enqueue(f"of-{side}")

    sides = [threading.Thread(target=work, args=told) for told in ((one, "west"), (other, "east"))]
    for side in sides:
        side.start()
    for side in sides:
        side.join(20)
    assert len(ran) == 24  # each side ran the same 12
    assert one.claimed("held-west", limit=1) == ["j12"]
    sound(one)
    sound(other)
    stream.release()
    follow(master, replica.port)
    caught_up(replica, master)
    # What the one wrote is gone; what it holds now is what the other had.
    assert one.dump() == other.dump()
    assert state(other, "of-west") == "unknown"
    assert other.claimed("held-east", limit=1) == ["j12"]
    assert other.ack("j12", token="held-west") == [scripts.AckLeaseLost()]
    assert other.ack("j12", token="held-east") == [scripts.AckDone()]
    rest = other.claimed("last", limit=20)
    assert rest == [*(f"j{n}" for n in range(13, 20)), "of-east"]
    assert other.ack(*rest, token="last") == [scripts.AckDone()] * 8
    assert other.call(scripts.stats(other.name)).completed_total == 21
    sound(other)
