"""What handlers tell: progress and a log, carried by extend, ack, fail and release."""

import json
from typing import Any

import pytest
from queue_state import QueueState

from boltq import scripts
from boltq.errors import BadArgument

HALF = b"1 0 0 0.5 half way"


def inspected(q: QueueState, id: str = "a") -> scripts.InspectJob:
    items = [scripts.InspectItem(id)]
    (job,) = q.call(scripts.inspect(q.name, items, with_payload=0)).answers
    assert isinstance(job, scripts.InspectJob)
    return job


def progress(q: QueueState, id: str = "a") -> Any:
    return json.loads(inspected(q, id).progress)


def log(q: QueueState, id: str = "a") -> list[Any]:
    return [json.loads(line) for line in inspected(q, id).log.decode().split("\n") if line]


def lines(q: QueueState, id: str = "a") -> list[str]:
    return [entry["line"] for entry in log(q, id)]


def test_a_job_that_tells_nothing_has_none_and_the_queue_no_key_for_it(q: QueueState) -> None:
    q.run("a")
    q.extend("a")
    assert (inspected(q).progress, inspected(q).log) == (b"", b"")
    q.ack("a")
    assert "notes" not in q.dump()


def test_progress_is_the_last_that_was_told_with_its_time(q: QueueState) -> None:
    q.run("a")
    q.extend("a", told=b"1 0 0 0.25 resizing")
    first = progress(q)
    q.extend("a", told=b'1 0 0 1 "done" \xc3\xa9')
    second = progress(q)
    assert (first["progress"], first["text"]) == (0.25, "resizing")
    assert (second["progress"], second["text"], second["attempt"]) == (1, '"done" \u00e9', 1)
    assert first["at_ms"] <= second["at_ms"] <= q.now_ms()


def test_a_log_grows_line_by_line_each_with_its_time_and_attempt(q: QueueState) -> None:
    q.run("a")
    q.extend("a", told=b"1 2 0 - \none\ntwo")
    q.extend("a", told=b"1 1 2 - \n\xffthree\\")
    entries = log_bytes(q)
    assert [entry.count(b'"attempt":1') for entry in entries] == [1, 1, 1]
    assert [b'"line":"one"' in entries[0], b'"line":"two"' in entries[1]] == [True, True]
    assert entries[2].endswith(b'"line":"\xffthree\\\\"}')
    assert b'"progress"' not in inspected(q).progress


def log_bytes(q: QueueState) -> list[bytes]:
    return inspected(q).log.splitlines()


@pytest.mark.parametrize("verb", ["ack", "fail", "release"])
def test_whatever_ends_a_lease_carries_the_last_that_was_told(q: QueueState, verb: str) -> None:
    q.run("a", "b")
    told = b"1 1 0 0.5 \nof a\n2 1 0 1 \nof b"
    getattr(q, verb)("a", "b", told=told)
    assert (lines(q, "a"), lines(q, "b")) == (["of a"], ["of b"])
    assert (progress(q, "a")["progress"], progress(q, "b")["progress"]) == (0.5, 1)


@pytest.mark.parametrize("verb", ["extend", "ack", "fail", "release"])
def test_a_call_that_is_sent_again_adds_no_line_twice(q: QueueState, verb: str) -> None:
    q.run("a")
    told = b"1 2 0 0.5 half\none\ntwo"
    for _ in range(2):
        getattr(q, verb)("a", told=told)
    assert lines(q) == ["one", "two"]


def test_lines_that_were_told_before_are_left_out_and_new_ones_kept(q: QueueState) -> None:
    q.run("a")
    q.extend("a", told=b"1 2 0 - \none\ntwo")
    q.extend("a", told=b"1 3 1 - \ntwo\nthree\nfour")
    assert lines(q) == ["one", "two", "three", "four"]
    q.extend("a", told=b"1 1 - - \nuncounted")
    q.extend("a", told=b"1 1 - - \nuncounted")
    assert lines(q)[4:] == ["uncounted", "uncounted"]


def test_an_empty_line_is_one_and_the_last_ends_with_a_line_feed(q: QueueState) -> None:
    q.run("a")
    q.extend("a", told=b"1 1 0 - \n\n")
    q.extend("a", told=b"1 3 1 - \n\nx\n\n")
    assert lines(q) == ["", "", "x", ""]


def test_a_call_that_comes_late_does_not_let_lines_be_told_anew(q: QueueState) -> None:
    q.run("a")
    q.extend("a", told=b"1 2 0 - \none\ntwo")
    q.extend("a", told=HALF)  # was sent before the one above
    q.ack("a", told=b"1 3 0 - \none\ntwo\nthree")
    assert lines(q) == ["one", "two", "three"]


def test_a_new_attempt_counts_its_lines_anew_and_its_progress_too(q: QueueState) -> None:
    q.run("a")
    q.fail("a", told=b"1 1 0 0.75 \nfirst", delay_ms=0)
    q.promote()
    assert progress(q)["progress"] == 0.75
    q.claim("t2")
    q.extend("a", token="t2", told=b"1 1 0 - \nsecond")
    assert [(entry["attempt"], entry["line"]) for entry in log(q)] == [(1, "first"), (2, "second")]
    assert "progress" not in progress(q)


def test_who_does_not_hold_the_lease_is_not_heard(q: QueueState) -> None:
    q.run("a")
    for verb in ("extend", "ack", "fail", "release"):
        getattr(q, verb)("a", token="other", told=HALF)
        getattr(q, verb)("unknown", told=HALF)
    assert "notes" not in q.dump()


def test_a_log_keeps_its_last_100_lines(q: QueueState) -> None:
    q.run("a")
    for n in range(13):
        told = b"1 10 %d - " % (10 * n) + b"".join(b"\n%d" % (10 * n + i) for i in range(10))
        q.extend("a", told=told)
    assert lines(q) == [str(n) for n in range(30, 130)]


def test_a_log_keeps_its_last_16_kib_and_of_a_line_1000_bytes(q: QueueState) -> None:
    q.run("a")
    for n in range(10):
        told = b"1 4 %d - " % (4 * n) + (b"\n%02d" % n + b"y" * 1020) * 4
        q.extend("a", told=told)
    kept = inspected(q).log
    assert 16384 - 1100 < len(kept) <= 16384
    assert all(len(line) == 1000 for line in lines(q))
    assert lines(q)[-1].startswith("09")


@pytest.mark.parametrize(
    "told",
    [
        *(b"x", b"1", b"1 0", b"1 0 0", b"0 0 0 0 ", b"3 0 0 0 ", b"-1 0 0 0 ", b"01 0 0 0 "),
        *(b"1 0 x 0 ", b"1 0 0 x ", b"1 0 0 1.1 ", b"1 0 0 -1 ", b"1 0 0 1e0 ", b"1 0 0 nan "),
        *(b"1 1 0 0 ", b"1 0 0 0 \nmore", b"1 2 0 0 \none", b"1 0 1000000000 0 "),
        *(b"1 0 0 0 " + b"t" * 201, b"1 1 0 0 \n" + b"l" * 4097, b"\n", b"1 5000 0 0 "),
    ],
)
@pytest.mark.parametrize("verb", ["extend", "ack", "fail", "release"])
def test_what_is_in_no_known_form_refuses_the_batch(q: QueueState, verb: str, told: bytes) -> None:
    q.run("a", "b")
    before = q.dump()
    with pytest.raises(BadArgument, match="told must be of the form"):
        getattr(q, verb)("a", "b", told=told)
    assert q.dump() == before


def test_it_goes_with_its_job_whatever_lets_go_of_it(q: QueueState) -> None:
    q.configure(keep_completed=1)
    q.run("acked", "trimmed", "purged", "lives")
    q.extend("acked", "trimmed", "purged", "lives", told=b"1 0 0 0 \n2 0 0 0 \n3 0 0 0 \n4 0 0 0 ")
    assert set(q.read("notes")) == {"acked", "trimmed", "purged", "lives"}
    q.ack("trimmed")
    q.ack("acked", told=b"1 1 0 1 \nlast")
    assert set(q.read("notes")) == {"acked", "purged", "lives"}
    q.fail("purged", final=1)
    q.call(scripts.purge(q.name, [scripts.PurgeItem("purged")], limit=1, cursor=""))
    assert set(q.read("notes")) == {"acked", "lives"}


def test_a_job_that_is_not_kept_leaves_none(q: QueueState) -> None:
    q.run("a", retention_ms=0)
    q.extend("a", told=HALF)
    q.ack("a", told=HALF)
    assert "notes" not in q.dump()


def test_it_outlives_a_replay(q: QueueState) -> None:
    q.run("a")
    q.fail("a", final=1, told=b"1 1 0 0.5 \nbefore")
    q.call(scripts.replay(q.name, [scripts.ReplayItem("a")], limit=1, cursor=""))
    assert (lines(q), progress(q)["progress"]) == (["before"], 0.5)
