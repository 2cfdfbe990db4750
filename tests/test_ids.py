"""Names and ids: their rules, and how an id from outside names its queue."""

import os
import re
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from boltq import ids
from boltq.errors import BadArgument

NAMES = st.from_regex(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,127}", fullmatch=True)


def test_a_new_id_is_a_name_that_begins_with_the_second_of_its_making() -> None:
    before = datetime.now(UTC)
    made = ids.new_id()
    assert re.fullmatch(r"[0-9]{14}-[a-z0-9]{13}", made)
    second = datetime.strptime(made[:14], "%Y%m%d%H%M%S").replace(tzinfo=UTC)
    assert before.replace(microsecond=0) <= second <= datetime.now(UTC)
    assert ids.split(made) == ("default", made)


def test_ids_that_are_made_together_are_as_those_made_alone() -> None:
    made = ids.new_ids(1000)
    assert len(set(made)) == 1000
    assert all(re.fullmatch(r"[0-9]{14}-[a-z0-9]{13}", one) for one in made)
    assert ids.new_ids(0) == []


def test_the_digits_of_a_new_id_follow_the_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    for seconds, digits in ((1_800_000_000.9, "20270115080000"), (0, "19700101000000")):
        monkeypatch.setattr(time, "time", lambda seconds=seconds: seconds)
        assert ids.new_id().startswith(f"{digits}-")


@pytest.mark.parametrize("make", [ids.new_id, ids.new_token, lambda: ids.new_ids(1)[0]])
def test_no_two_of_many_are_alike_in_threads_and_after_a_fork(make: Callable[[], str]) -> None:
    made: list[str] = []
    threads = [
        threading.Thread(target=lambda: made.extend(make() for _ in range(5000))) for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.write(writing, " ".join(make() for _ in range(100)).encode())
        os._exit(0)
    os.waitpid(child, 0)
    os.close(writing)
    with os.fdopen(reading, "rb") as pipe:
        made.extend(pipe.read().decode().split())
    made.extend(make() for _ in range(100))
    assert len(set(made)) == len(made) == 20_200


def test_every_letter_turns_up_in_tokens() -> None:
    assert set("".join(ids.new_token() for _ in range(200))) == set(
        "abcdefghijklmnopqrstuvwxyz0123456789"
    )
    assert len(ids.new_token()) == 26


@given(queue=NAMES, inner=NAMES)
def test_an_id_from_outside_splits_into_what_it_was_joined_from(queue: str, inner: str) -> None:
    if inner not in ids.REFUSED_IDS:
        assert ids.split(ids.join(queue, inner)) == (queue, inner)
        assert ids.within(queue, ids.join(queue, inner)) == inner
        assert ids.within(queue, inner) == inner


def test_a_bare_id_is_of_the_queue_default_and_may_say_so() -> None:
    assert ids.split("a1") == ids.split("default:a1") == ("default", "a1")
    assert ids.join("default", "a1") == "a1"
    assert ids.within("default", "default:a1") == "a1"


def test_an_id_that_names_another_queue_is_refused_by_the_names_of_both() -> None:
    with pytest.raises(BadArgument, match=r"id emails:a1 names the queue emails.*is for default"):
        ids.within("default", "emails:a1")


BAD_NAMES = ["", "a{b}", "../x", ".x", "-x", "_x", "a b", "a\n", "a\x00", "é", "\ud800", "a" * 129]


@pytest.mark.parametrize("bad", [*BAD_NAMES, "a:b", 7, None, b"a", ["a"]])
def test_what_is_no_name_is_refused_with_the_rule_and_the_value(bad: object) -> None:
    with pytest.raises(BadArgument, match=r"queue must be 1 to 128 of the characters .*; it is"):
        ids.checked_name("queue", bad)


@pytest.mark.parametrize("bad", [*BAD_NAMES, ":a", 7, None])
def test_what_is_no_type_is_refused(bad: object) -> None:
    with pytest.raises(BadArgument, match="type must be"):
        ids.checked_type(bad)


@pytest.mark.parametrize("good", ["a", "0", "A.b_c-d", "a" * 128])
def test_names_and_types_within_the_rule_are_given_back(good: str) -> None:
    assert ids.checked_name("queue", good) == good
    assert ids.checked_type(good) == good
    assert ids.checked_type("mail:send:now") == "mail:send:now"


@pytest.mark.parametrize("bad", ["", ":", "q:", ":a1", "q:a:b", "a b", "q:a\n", 7, None, ["a"]])
def test_an_id_from_outside_that_breaks_the_rule_is_refused(bad: object) -> None:
    with pytest.raises(BadArgument):
        ids.split(bad)
    with pytest.raises(BadArgument):
        ids.within("q", bad)


@pytest.mark.parametrize("word", ["status", "batch"])
def test_the_words_of_the_apis_paths_are_refused_as_ids_in_every_queue(word: str) -> None:
    for given_id in (word, f"emails:{word}"):
        with pytest.raises(BadArgument, match=f"id must not be {word}"):
            ids.split(given_id)
        with pytest.raises(BadArgument, match=f"id must not be {word}"):
            ids.within("emails", given_id)


def test_a_refusal_of_a_long_value_stays_short() -> None:
    with pytest.raises(BadArgument) as refused:
        ids.checked_name("queue", "x" * 10_000)
    assert len(str(refused.value)) < 250
    assert "10002 characters" in str(refused.value)
