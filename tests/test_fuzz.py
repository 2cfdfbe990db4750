"""Hostile arguments and keys for every script: each is refused in one line, and nothing is made.

What is hostile is judged here, by the manifest and by rules of this file, not by those under test.
"""

import re
import secrets
from typing import Any

import pytest
from every_verb import SCRIPTS
from hostile import NAMES, hostile, is_name, try_all
from hypothesis import strategies as st
from queue_state import QueueState

REFUSALS = {b"BAD_ARGUMENT", b"BAD_KEYS", b"TOO_LARGE", b"UPGRADE"}
FIELDS = [
    pytest.param(verb, place, field, id=f"{verb}-{field['name']}")
    for verb, script in SCRIPTS.items()
    for place, field in enumerate(
        [*script["arguments"], *(script["each"] or {"fields": []})["fields"]]
    )
]


def is_allowed(field: dict[str, Any], value: bytes) -> bool:
    """By the manifest and README: whether a value may stand in a field."""
    if field["type"] == "options" or (field["optional"] and not value):
        return not value.strip(b" ")  # nothing here names an option
    if field["type"] == "word":
        return value.decode("latin-1") in field["choices"]
    low, high = field["range"]
    if field["type"] in ("integer", "number"):
        form = rb"[0-9]+" if field["type"] == "integer" else rb"[0-9]+\.?[0-9]*"
        plain = len(value) <= 16 and re.fullmatch(form, value) is not None
        return plain and low <= float(value) <= high
    if not low <= len(value) <= high:
        return False
    if field["type"] in NAMES:
        return is_name(field["type"], value)
    return field["type"] == "bytes" or not any(byte < 32 or byte == 127 for byte in value)


def good(field: dict[str, Any]) -> Any:
    if field["type"] == "word":
        return field["choices"][0]
    if field["type"] == "options":
        return b""
    if field["type"] in ("integer", "number"):
        return field["range"][0]
    return b"" if field["optional"] or not field["range"][0] else b"a"


def request(script: dict[str, Any], place: int, value: Any) -> list[Any]:
    """A request with one value in it, all others harmless."""
    each = script["each"]
    fields = [*script["arguments"], *(each["fields"] if each else ())]
    argv = [good(field) for field in fields]
    argv[place] = value
    return argv


def is_one_plain_line(sentence: bytes) -> bool:
    return len(sentence) < 300 and all(32 <= byte < 127 for byte in sentence)


@pytest.mark.parametrize(("verb", "place", "field"), FIELDS)
def test_what_a_field_may_not_hold_is_refused_and_makes_nothing(
    q: QueueState, verb: str, place: int, field: dict[str, Any]
) -> None:
    def check(value: bytes) -> None:
        word, *rest = q.send(verb, *request(SCRIPTS[verb], place, value))
        if is_allowed(field, value):
            assert word != b"BAD_KEYS"
            q.raw.delete(*(q.key(part) for part in SCRIPTS[verb]["keys"]))
            return
        assert word == b"BAD_ARGUMENT", value
        assert is_one_plain_line(rest[0]), rest
        assert field["name"].encode() in rest[0]
        assert q.keys() == set()

    if field["type"] in ("integer", "number"):
        low, high = field["range"]
        for edge in (low - 1, low, high, high + 1):
            check(str(edge).encode())
    try_all(check)


@pytest.mark.parametrize("verb", SCRIPTS)
def test_any_list_of_arguments_has_an_answer_and_a_refusal_makes_nothing(
    q: QueueState, verb: str
) -> None:
    words = {told["word"].encode() for told in SCRIPTS[verb]["replies"]}

    def check(argv: list[bytes]) -> None:
        word, *rest = q.send(verb, *argv)
        assert word in words | REFUSALS
        if word in REFUSALS:
            assert len(rest) == 1
            assert is_one_plain_line(rest[0]), rest
            assert q.keys() == set()
        else:
            q.raw.delete(*(q.key(part) for part in SCRIPTS[verb]["keys"]))

    try_all(check, st.lists(hostile, max_size=20))


@pytest.mark.parametrize("verb", SCRIPTS)
def test_any_name_of_a_queue_is_a_name_or_refused_and_makes_nothing(
    q: QueueState, verb: str
) -> None:
    script = SCRIPTS[verb]
    sha = q.raw.script_load(script["source"])
    argv = request(script, 0, good(script["arguments"][0])) if script["arguments"] else []
    argv = argv or ([b"a"] * len(script["each"]["fields"]) if script["each"] else [])
    prefix = f"fuzz-{secrets.token_hex(4)}".encode()

    def check(name: bytes) -> None:
        if is_name("name", name) and len(name) <= 128:
            return
        keys = [prefix + b"1:{" + name + b"}:" + part.encode() for part in script["keys"]]
        word, sentence = q.raw.evalsha(sha, len(keys), *keys, *argv)
        assert word == b"BAD_KEYS", name
        assert is_one_plain_line(sentence)
        assert q.raw.keys(prefix + b"*") == []

    try_all(check)
