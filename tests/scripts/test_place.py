"""place: a word that tells whether a job has moved, in what inspect and list tell of it."""

import pytest
from queue_keys import HOUR_MS, STATES
from queue_state import QueueState

from boltq import scripts


def listed(q: QueueState, id: str) -> str:
    (state,) = q.states(id)
    (place,) = (job.place for job in q.call(q.list_call(state)).answers if job.id == id)
    return place


def put(q: QueueState, state: str, id: str = "a") -> None:
    """Put a job of priority 6 into a state."""
    if state in ("scheduled", "queued"):
        q.enqueue(id, priority=6, delay_ms=HOUR_MS if state == "scheduled" else 0)
        return
    q.run(id, priority=6)
    match state:
        case "retrying":
            q.fail(id, delay_ms=HOUR_MS)
        case "dead":
            q.fail(id, final=1)
        case "completed":
            q.ack(id)
        case "cancelled":
            q.cancel(id)
            q.release(id)


@pytest.mark.parametrize("state", STATES)
def test_a_place_is_the_state_the_exact_score_and_the_priority(q: QueueState, state: str) -> None:
    put(q, state)
    score = q.read(state)["a"]
    assert q.place("a") == listed(q, "a") == f"{state}:{score}:6"


def test_a_job_without_a_priority_of_its_own_has_the_usual_one_also_if_its_payload_names_another(
    q: QueueState,
) -> None:
    q.enqueue("a", payload=b'\n"priority":9')
    assert q.place("a") == f"queued:{q.read('queued')['a']}:4"


def test_a_running_job_has_another_place_once_it_was_extended_or_asked_to_stop(
    q: QueueState,
) -> None:
    q.run("a")
    places = [q.place("a")]
    q.extend("a", lease_ms=HOUR_MS)
    places.append(q.place("a"))
    q.cancel("a")
    places.append(q.place("a"))
    assert len(set(places)) == 3
    assert places[2] == f"{places[1]}:asked" == listed(q, "a")
    q.ack("a")
    assert q.place("a") == f"completed:{q.read('completed')['a']}:4"


def test_a_job_that_goes_its_way_is_at_each_place_once(q: QueueState) -> None:
    q.enqueue("a", delay_ms=HOUR_MS)
    places = [q.place("a")]
    q.make_due("scheduled", "a")
    q.promote()
    places.append(q.place("a"))
    for token in ("t1", "t2"):
        q.claim(token)
        places.append(q.place("a"))
        q.fail("a", token=token, final=1)
        places.append(q.place("a"))
        q.call(scripts.replay(q.name, [scripts.ReplayItem("a")], limit=1, cursor=""))
        places.append(q.place("a"))
    assert len(set(places)) == len(places) == 8
