"""recall: which claims are remembered; it is asked before a claim of several queues is repeated."""

from queue_state import QueueState

from boltq import scripts
from boltq.scripts import Recalled, RecallKnown, RecallUnknown


def recall(q: QueueState, *tokens: str) -> Recalled:
    return q.call(scripts.recall(q.name, [scripts.RecallItem(token) for token in tokens]))


def test_a_claim_that_leased_jobs_is_known_and_no_other(q: QueueState) -> None:
    q.claim("t0")  # of an empty queue
    q.enqueue("a", "b")
    q.claim("t1", limit=1)
    left = q.dump()
    reply = recall(q, "t1", "t0", "t2", "t1")
    known, unknown = RecallKnown(), RecallUnknown()
    assert reply == Recalled(reply.now_ms, [known, unknown, unknown, known])
    assert q.dump() == left


def test_a_claim_is_known_also_when_its_jobs_have_ended(q: QueueState) -> None:
    q.run("a")
    q.ack("a")
    assert recall(q, "t1").answers == [RecallKnown()]
    assert q.claimed("t1") == []


def test_a_claim_is_forgotten_when_a_later_one_finds_it_past_its_end(q: QueueState) -> None:
    q.run("a")
    q.ack("a")
    q.make_due("claim_ends", "t1")
    assert recall(q, "t1").answers == [RecallKnown()]
    q.claim("t2")
    assert recall(q, "t1").answers == [RecallUnknown()]


def test_a_paused_queue_is_recalled_too(q: QueueState) -> None:
    q.run("a")
    q.configure(paused=1)
    assert recall(q, "t1").answers == [RecallKnown()]


def test_a_hundred_tokens_are_recalled_at_once(q: QueueState) -> None:
    q.run("a", token="t99")
    answers = recall(q, *(f"t{n}" for n in range(100))).answers
    assert [n for n, answer in enumerate(answers) if answer == RecallKnown()] == [99]
