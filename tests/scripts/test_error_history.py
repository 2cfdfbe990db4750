"""What is kept of a job's errors: the last ten, each cut, whatever bytes they came as."""

import json
from typing import Any

import pytest
from queue_state import QueueState

from boltq import scripts
from boltq.scripts import FailItem

HOSTILE = {
    "nothing": b"",
    "nul": b"a\0b",
    "newlines": b"a\nb\r\nc\n",
    "quotes": b'"\\"\\\\',
    "json": b'","worker":"me"}\n{"attempt":99',
    "emoji": "\U0001f600\u00e9".encode(),
    "line-separators": "a\u2028b\u0085c".encode(),
    "escape": b"\x1b[31m\x7f\x01",
    "format": b"%s %d %n %5000f",
    "slash": b"a/b</script>",
}


def fail_with(q: QueueState, error: bytes, message: bytes, stack: bytes, token: str = "t1") -> None:
    q.call(scripts.fail(q.name, [FailItem("a", token, error, message, stack, 0, 0)]))


def lines(q: QueueState) -> list[bytes]:
    return q.read("tries")["a"].split(b"\n")[1:-1]


def errors(q: QueueState) -> list[dict[str, Any]]:
    tries = q.tries("a")
    assert tries is not None
    return tries.errors


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_an_error_is_told_again_as_it_was_reported(q: QueueState, text: bytes) -> None:
    q.run("a", max_attempts=9)
    fail_with(q, text, text, text)
    (kept,) = errors(q)
    assert [kept["type"], kept["message"], kept["stack"]] == [text.decode()] * 3
    assert q.read("tries")["a"].count(b"\n") == 2
    # And the line of the counts is still read right.
    assert q.claimed("t2") == ["a"]
    fail_with(q, b"second", b"", b"", "t2")
    assert [error["attempt"] for error in errors(q)] == [1, 2]


def test_the_name_of_the_worker_stands_in_the_error_as_it_was_given(q: QueueState) -> None:
    q.run("a", claim={"worker": 'h"1" \\ \u00e9 0 1'})
    fail_with(q, b"", b"", b"")
    assert errors(q)[0]["worker"] == 'h"1" \\ \u00e9 0 1'


@pytest.mark.parametrize("text", [b"\xff\xfe", b"ok \xc3\x28", b"\xed\xa0\x80", b"\xe9t\xe9"])
def test_bytes_that_are_no_utf8_are_kept_as_they_are(q: QueueState, text: bytes) -> None:
    q.run("a")
    fail_with(q, text, text, text)
    line = q.read("tries")["a"].split(b"\n")[1]
    assert line.count(b'"' + text + b'"') == 3
    assert json.loads(line.decode("utf-8", "replace"))["worker"] == "w1"


@pytest.mark.parametrize(
    ("field", "most"), [("type", 200), ("message", 1000), ("stack", 2800)], ids=str
)
def test_each_text_of_an_error_is_cut_at_its_length(q: QueueState, field: str, most: int) -> None:
    q.corrupted = True

    def kept_of(text: bytes) -> str:
        q.enqueue("a")
        q.claim("t1")
        texts = {"type": b"", "message": b"", "stack": b"", field: text}
        fail_with(q, *texts.values())
        found: str = errors(q)[0][field]
        q.raw.delete(*(q.key(part) for part in ("jobs", "retrying", "tries", "claims")))
        return found

    assert kept_of(b"x" * most) == "x" * most
    assert kept_of(b"x" * (most + 1)) == "x" * most
    assert kept_of(b"x" * 90_000) == "x" * most


@pytest.mark.parametrize("character", ["\u00e9", "\u20ac", "\U0001f600"])
def test_a_text_is_never_cut_inside_a_character(q: QueueState, character: str) -> None:
    width = len(character.encode())
    q.enqueue("a", max_attempts=99)
    for shift in range(width):
        token = f"t{shift}"
        assert q.claimed(token) == ["a"]
        text = "x" * shift + character * 400
        fail_with(q, text.encode(), text.encode(), (character * 1500).encode(), token)
        kept = errors(q)[-1]
        for field, most in (("type", 200), ("message", 1000)):
            whole = "x" * shift + character * ((most - shift) // width)
            assert kept[field] == (whole if len(text.encode()) > most else text)
        assert kept["stack"] == character * (2800 // width)


def test_a_long_text_that_is_no_utf8_is_cut_and_not_lost(q: QueueState) -> None:
    q.run("a")
    fail_with(q, b"\x82" * 300, b"\x81\x82" * 600, b"\xbf" * 3000)
    line = q.read("tries")["a"].split(b"\n")[1]
    for text in (b"\x82" * 200, b"\x81\x82" * 500, b"\xbf" * 2800):
        assert b'"' + text + b'"' in line


def test_the_last_ten_errors_are_kept(q: QueueState) -> None:
    q.enqueue("a", max_attempts=100, base_ms=0)
    for n in range(1, 14):
        assert q.claimed(f"t{n}") == ["a"]
        fail_with(q, b"E", b"no %d" % n, b"line\nline", f"t{n}")
        kept = errors(q)
        assert [error["message"] for error in kept] == [
            f"no {m}" for m in range(max(1, n - 9), n + 1)
        ]
    assert [error["attempt"] for error in kept] == list(range(4, 14))
    assert q.tries("a").failures == 13


def test_lost_leases_stand_among_the_errors(q: QueueState) -> None:
    q.enqueue("a", max_attempts=9, base_ms=0)
    q.claim("t1", worker="first")
    fail_with(q, b"E", b"no", b"")
    q.claim("t2", worker="second")
    q.make_due("running", "a")
    now_ms = q.reap().now_ms
    assert [error["type"] for error in errors(q)] == ["E", "LeaseLost"]
    assert errors(q)[1] == {
        "attempt": 2,
        "type": "LeaseLost",
        "message": "the lease ran out before the job was acked",
        "stack": "",
        "worker": "second",
        "at_ms": now_ms,
    }


def test_a_release_keeps_the_errors_and_adds_none(q: QueueState) -> None:
    q.run("a")
    fail_with(q, b"E", b"no", b"")
    before = errors(q)
    q.claim("t2")
    q.release("a", token="t2")
    assert errors(q) == before
    assert (q.tries("a").how, q.tries("a").token) == ("release", "t2")


@pytest.mark.parametrize("byte", [b"x", b"\0", b'"', b"\n", b"\xff"], ids=repr)
def test_the_largest_history_stays_within_ten_times_4_kib_whatever_must_be_escaped(
    q: QueueState, byte: bytes
) -> None:
    q.enqueue("a", max_attempts=100)
    for n in range(12):
        q.claim(f"t{n}", worker="w" * 128)
        fail_with(q, byte * 100_000, byte * 500_000, byte * 500_000, f"t{n}")
    kept = [json.loads(line.decode("utf-8", "replace")) for line in lines(q)]
    assert [error["attempt"] for error in kept] == list(range(3, 13))
    assert min(len(error["stack"]) for error in kept) > 400
    assert len(q.read("tries")["a"]) < 10 * 4300


@pytest.mark.parametrize(
    ("field", "most"), [("type", 200), ("message", 1000), ("stack", 2800)], ids=str
)
def test_what_is_escaped_counts_with_its_escapes(q: QueueState, field: str, most: int) -> None:
    q.run("a")
    texts = {"type": b"", "message": b"", "stack": b"", field: b"x" * (most - 20) + b'"' * 20}
    fail_with(q, *texts.values())
    (line,) = lines(q)
    written = line.split(b'"%s":"' % field.encode())[1].split(b'","')[0]
    assert most * 8 // 10 <= len(written) <= most
