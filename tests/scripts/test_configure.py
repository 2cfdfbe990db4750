"""configure: how a queue behaves is set whole or not at all, and what is in force is answered."""

import pytest
from queue_state import QueueState
from servers import until

from boltq import scripts
from boltq.errors import UpgradeNeeded

TEN_YEARS_MS = 315_360_000_000
# name: (least, most, default), as written; texts have their longest.
NUMBERS = {
    "needs": ("1", "1000000", "1"),
    "paused": ("0", "1", "0"),
    "payload_bytes": ("1", "8000000", "1048576"),
    "result_bytes": ("0", "1048576", "65536"),
    "keep_completed_ms": ("0", str(TEN_YEARS_MS), "3600000"),
    "keep_completed": ("0", "10000000", "10000"),
    "keep_cancelled_ms": ("0", str(TEN_YEARS_MS), "3600000"),
    "keep_cancelled": ("0", "10000000", "10000"),
    "keep_dead_ms": ("0", str(TEN_YEARS_MS), "7776000000"),
    "keep_dead": ("0", "10000000", "100000"),
    "keep_payloads": ("0", "1", "0"),
    "keep_events": ("0", "100000", "0"),
    "job_priority": ("0", "9", "4"),
    "job_max_attempts": ("1", "1000", "3"),
    "job_max_lost": ("0", "1000", "5"),
    "job_timeout_ms": ("0", str(TEN_YEARS_MS), "3600000"),
    "job_backoff_base_ms": ("0", str(TEN_YEARS_MS), "1000"),
    "job_backoff_factor": ("1", "1000", "2"),
    "job_backoff_cap_ms": ("0", str(TEN_YEARS_MS), "3600000"),
    "job_backoff_jitter": ("0", "1", "0.2"),
}
TEXTS = {"pause_reason": 200, "paused_by": 128}
PAUSE = ("paused", "pause_reason", "paused_by", "paused_at_ms")
DEFAULTS = (
    {name: default for name, (_, _, default) in NUMBERS.items()}
    | dict.fromkeys(TEXTS, "")
    | {"paused_at_ms": "0"}
)


def test_without_items_it_answers_the_defaults_and_writes_nothing(q: QueueState) -> None:
    assert q.configure() == DEFAULTS
    assert q.dump() == {}


@pytest.mark.parametrize("name", NUMBERS)
def test_a_number_is_stored_within_its_range_and_refused_outside(q: QueueState, name: str) -> None:
    least, most, default = NUMBERS[name]
    for value in (least, most) if name != "needs" else (least,):
        in_force = q.configure(**{name: value})
        assert (in_force[name], set(in_force)) == (value, set(DEFAULTS))
    q.configure(**{name: ""})
    before = q.dump()
    outside = [str(int(most) + 1), "-1", *(["0"] if least == "1" else [])]
    for value in outside:
        word, sentence = q.send("configure", name, value)
        assert word == b"BAD_ARGUMENT"
        assert sentence.endswith(f"{least}..{most}, not '{value}'".encode())
    assert q.dump() == before
    assert q.configure()[name] == default


@pytest.mark.parametrize("name", TEXTS)
def test_a_text_is_stored_up_to_its_length_without_control_bytes(q: QueueState, name: str) -> None:
    longest = "ü" * (TEXTS[name] // 2)
    assert q.configure(**{name: longest})[name] == longest
    assert q.read("settings") == {name: longest.encode()}
    for bad in (longest + "x", "a\nb", "a\0b", "a\x7fb"):
        word, sentence = q.send("configure", name, bad)
        assert (word, sentence.startswith(b"item 1: " + name.encode())) == (b"BAD_ARGUMENT", True)
    assert q.read("settings") == {name: longest.encode()}


NO_NUMBER = ["-1", "+5", " 5 ", "5\n", "5\0", "0x10", "1e2", "inf", "nan", "9007199254740993"]


@pytest.mark.parametrize("bad", [*NO_NUMBER, "1.0"])
def test_what_is_no_integer_is_refused(q: QueueState, bad: str) -> None:
    assert q.send("configure", "keep_dead_ms", bad)[0] == b"BAD_ARGUMENT"
    assert q.dump() == {}


@pytest.mark.parametrize("bad", [*NO_NUMBER, "1.5.1", ".5", "1,5"])
def test_what_is_no_decimal_is_refused(q: QueueState, bad: str) -> None:
    assert q.send("configure", "job_backoff_factor", bad)[0] == b"BAD_ARGUMENT"
    assert q.dump() == {}


def test_leading_zeros_are_no_other_number(q: QueueState) -> None:
    assert q.configure(keep_dead="007")["keep_dead"] == "7"
    assert q.configure(paused="01")["paused"] == "1"
    assert int(q.configure()["paused_at_ms"]) > 0
    assert q.configure(paused="00") == DEFAULTS | {"keep_dead": "7"}


@pytest.mark.parametrize("bad", ["an_unknown_one", "Paused", "paused_at_ms"])
def test_what_is_no_setting_to_be_set_refuses_the_whole_batch(q: QueueState, bad: str) -> None:
    word, sentence = q.send("configure", "keep_dead", "5", bad, "1")
    assert word == b"BAD_ARGUMENT"
    assert sentence == f"item 2: name must be a setting of a queue, not '{bad}'".encode()
    assert q.dump() == {}


def test_64_items_are_taken_and_of_one_name_the_last_counts(q: QueueState) -> None:
    items = [scripts.ConfigureItem("keep_dead", b"%d" % n) for n in range(64)]
    first, second = q.twice(scripts.configure(q.name, items))
    assert {answer.name: answer.value for answer in first.answers}["keep_dead"] == "63"
    assert first.answers == second.answers


def test_an_empty_value_brings_the_default_back(q: QueueState) -> None:
    q.configure(keep_dead=5, job_priority=9)
    assert q.configure(keep_dead="") == DEFAULTS | {"job_priority": "9"}
    assert q.read("settings") == {"job_priority": b"9"}


def test_a_pause_holds_reason_who_and_since_when_and_a_second_one_keeps_the_time(
    q: QueueState,
) -> None:
    q.enqueue("a")
    before = q.now_ms()
    told = q.configure(paused=1, pause_reason="mail is down", paused_by="ann")
    assert [told[name] for name in PAUSE[:3]] == ["1", "mail is down", "ann"]
    assert before <= int(told["paused_at_ms"]) <= q.now_ms()
    assert q.read("settings") == {name: told[name].encode() for name in PAUSE}
    until(lambda: q.now_ms() > int(told["paused_at_ms"]))
    again = q.configure(paused=1, pause_reason="still")
    assert again == told | {"pause_reason": "still"}
    reply = q.claim()
    assert isinstance(reply, scripts.Paused)
    assert reply.reason == "still"


@pytest.mark.parametrize("value", ["0", ""])
def test_a_resume_forgets_the_pause_and_wakes_a_worker(q: QueueState, value: str) -> None:
    q.configure(paused=1, pause_reason="why", paused_by="ann", keep_dead=5)
    assert q.bell() == 0
    items = [scripts.ConfigureItem("paused", value.encode())]
    first, second = q.twice(scripts.configure(q.name, items))
    in_force = {answer.name: answer.value for answer in first.answers}
    assert in_force == DEFAULTS | {"keep_dead": "5"}
    assert first.answers == second.answers
    assert q.dump() == {"settings": {"keep_dead": b"5"}, "bell": [b"1"]}


def test_the_bell_is_silent_unless_a_pause_ended_and_rings_once(q: QueueState) -> None:
    q.configure(paused=0, keep_dead=5)
    q.configure(paused=1)
    assert q.bell() == 0
    for _ in range(2):
        q.configure(paused=0)
        q.configure(paused=1)
    assert q.bell() == 1


def test_needs_only_grows_and_then_shuts_this_script_out(q: QueueState) -> None:
    q.corrupted = True
    assert q.configure(needs=1)["needs"] == "1"
    word, sentence = q.send("configure", "needs", "3", "needs", "2")
    assert (word, b"at least 3" in sentence) == (b"BAD_ARGUMENT", True)
    assert q.configure(needs=2)["needs"] == "2"
    before = q.dump()
    with pytest.raises(UpgradeNeeded, match=f"queue {q.name} needs level 2, this script is 1"):
        q.configure(needs=1)
    assert q.dump() == before


def test_needs_that_this_script_meets_is_not_lowered_by_the_default(q: QueueState) -> None:
    q.configure(needs=1)
    assert q.configure(needs="")["needs"] == "1"


def test_the_defaults_of_jobs_are_those_of_the_time_of_the_enqueue(q: QueueState) -> None:
    q.configure(job_max_attempts=7, job_priority=9, job_backoff_jitter="0.5")
    q.enqueue("a")
    q.enqueue("b", max_attempts=3)
    q.configure(job_max_attempts=8)
    assert q.header("a")["max_attempts"] == 7
    assert (q.header("a")["priority"], q.header("a")["backoff_jitter"]) == (9, 0.5)
    assert "max_attempts" not in q.header("b")


def test_limits_of_bytes_are_in_force_at_once(q: QueueState) -> None:
    q.configure(payload_bytes=3, result_bytes=2)
    word, sentence = q.send("enqueue", "", "a", "t", "1234", "")
    assert (word, b"takes at most 3" in sentence) == (b"TOO_LARGE", True)
    q.run("a")
    word, sentence = q.send("ack", "", "a", "t1", "123")
    assert (word, b"takes at most 2" in sentence) == (b"TOO_LARGE", True)
