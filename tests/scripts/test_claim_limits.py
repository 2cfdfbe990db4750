"""What keeps a claim from taking a job: its bytes, and jobs that may kill their worker."""

from queue_state import QueueState


def lose(q: QueueState, *ids: str) -> None:
    """Let leases of the jobs run out, so that they are suspects, and queue them again."""
    q.enqueue(*ids, base_ms=0)
    assert sorted(q.claimed("lost", limit=len(ids))) == sorted(ids)
    q.make_due("running", *ids)
    assert q.reap().reaped == len(ids)
    q.raw.delete(q.key("claims"), q.key("claim_ends"))


def test_a_job_that_lost_a_lease_is_handed_out_alone(q: QueueState) -> None:
    lose(q, "x", "y")
    q.enqueue("a", "b")
    took = [q.claimed(f"t{n}", limit=10) for n in range(4)]
    assert took == [["x"], ["y"], ["a", "b"], []]


def test_a_claim_stops_before_a_job_that_lost_a_lease(q: QueueState) -> None:
    q.run("b", base_ms=0, token="t0")
    q.make_due("running", "b")
    q.reap()
    q.enqueue("a", priority=9)
    q.enqueue("c")
    first = q.claim("t1")
    assert ([job.id for job in first.answers], first.more) == (["a"], 1)
    second = q.claim("t2")
    assert ([job.id for job in second.answers], second.more) == (["b"], 1)
    assert q.claimed("t3") == ["c"]


def test_a_job_that_only_failed_is_handed_out_with_others(q: QueueState) -> None:
    q.run("a", base_ms=0)
    q.fail("a")
    q.make_due("retrying", "a")
    q.enqueue("b")
    assert q.claimed("t2") == ["a", "b"]


def test_one_that_kills_its_worker_buries_none_of_its_neighbours(q: QueueState) -> None:
    q.enqueue("a", "poison", "b", "c", base_ms=0, max_lost=2)
    for n in range(20):
        token = f"t{n}"
        ids = q.claimed(token)
        if "poison" in ids:
            q.make_due("running", *ids)
        elif ids:
            q.ack(*ids, token=token)
    assert {id: q.states(id) for id in ("a", "poison", "b", "c")} == {
        "a": ["completed"],
        "poison": ["dead"],
        "b": ["completed"],
        "c": ["completed"],
    }


# --- bytes


def test_a_claim_stops_at_its_bytes_but_takes_one_job_at_least(q: QueueState) -> None:
    q.enqueue("a", "b", "c", payload=bytes(1_000_000))
    first = q.claim("t1", max_bytes=1)
    assert ([job.id for job in first.answers], first.more) == (["a"], 1)
    assert first.answers[0].payload == bytes(1_000_000)
    assert q.claimed("t2", max_bytes=2_000_000) == ["b"]
    assert q.claimed("t3", max_bytes=2_000_000) == ["c"]


def test_the_bytes_of_a_job_are_its_whole_record_and_payload(q: QueueState) -> None:
    q.enqueue("a", payload=bytes(100), headers=bytes(50))
    q.enqueue("b", payload=bytes(5000), headers=bytes(50))
    size = sum(map(len, q.read("jobs").values())) + 5000
    assert q.claimed("t1", max_bytes=size - 1) == ["a"]
    q.release("a")
    assert q.claimed("t2", max_bytes=size) == ["a", "b"]


def test_what_did_not_fit_keeps_its_place(q: QueueState) -> None:
    q.enqueue("small", payload=b"1")
    q.enqueue("big", payload=bytes(500_000))
    q.enqueue("next", payload=b"2")
    before = q.read("queued")
    assert q.claimed("t1", max_bytes=1000) == ["small"]
    assert q.read("queued") == {id: before[id] for id in ("big", "next")}
    assert q.claimed("t2", max_bytes=600_000) == ["big", "next"]
