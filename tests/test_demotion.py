"""A master that is told to be a replica, and two masters at a time: no write is half done."""

import threading
from collections.abc import Callable

import pytest
from audited import sound
from clusters import Node
from line import line_to
from queue_state import QueueState
from replicas import KINDS, Pair, caught_up, follow, promote
from workers import state

from boltq import address, scripts
from boltq.errors import Unavailable
from boltq.evalsha import Bells, Server


def test_a_master_that_was_made_a_replica_is_left_for_the_one_at_its_address(
    two_servers: Pair, queue_on: Callable[[Node], QueueState]
) -> None:
    master, replica, _ = two_servers
    before = queue_on(master)
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
    after = queue_on(replica)
    assert after.states("a") == ["running"]
    sound(after)


def test_a_call_to_a_demoted_master_is_named_and_leaves_no_half_of_a_write(
    two_servers: Pair, queue_on: Callable[[Node], QueueState]
) -> None:
    master, replica, _ = two_servers
    q = queue_on(master)
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
    sound(queue_on(replica))


@pytest.mark.parametrize("two_servers", KINDS, indirect=True)
def test_two_masters_for_a_while_and_then_one_leave_a_sound_queue(
    two_servers: Pair, queue_on: Callable[[Node], QueueState]
) -> None:
    master, replica, stream = two_servers
    one = queue_on(master)
    one.enqueue(*(f"j{n}" for n in range(20)))
    caught_up(master, replica)
    stream.stop("answers")
    promote(replica)  # and nobody has told the master
    other = queue_on(replica)
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
