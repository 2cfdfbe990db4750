"""Keys that are not those of one queue in their order: every script refuses them, whole."""

from collections.abc import Iterator

import pytest
from every_verb import CASES, SCRIPTS
from queue_state import QueueState
from servers import TestServer

CASE_OF = {case.verb: case for case in CASES.values()}
NO_QUEUES = {
    "empty": "",
    "a brace": "a{b",
    "braces": "{a}",
    "two tags": "a}:x{a",
    "a blank": "a b",
    "a newline": "a\n",
    "NUL": "a\0",
    "a colon": "a:b",
    "a slash": "../x",
    "a dot first": ".a",
    "a line first": "_a",
    "an umlaut": "ä",
    "an emoji": "😀",
    "129 bytes": "a" * 129,
    "a star": "*",
}


def tagged(start: str, queue: str, parts: list[str]) -> list[str]:
    return [f"{start}{{{queue}}}:{part}" for part in parts]


def wrong_lists(queue: str, parts: list[str]) -> Iterator[tuple[str, list[str]]]:
    """Yield what is wrong, and the keys."""
    keys, other = tagged("boltq1:", queue, parts), tagged("boltq1:", f"{queue}-2", parts)
    yield "no key at all", []
    yield "one more", [*keys, f"boltq1:{{{queue}}}:more"]
    yield "the first twice", [keys[0], *keys]
    if len(keys) > 2:
        yield "two as one", [keys[0], ",".join(keys[1:3]), *keys[3:]]
    for n in range(len(keys)):
        yield f"without {parts[n]}", keys[:n] + keys[n + 1 :]
        yield f"{parts[n]} of another queue", [*keys[:n], other[n], *keys[n + 1 :]]
        yield f"a longer {parts[n]}", [*keys[:n], keys[n] + "s", *keys[n + 1 :]]
        following = (n + 1) % len(keys)
        swapped = list(keys)
        swapped[n], swapped[following] = swapped[following], swapped[n]
        yield f"{parts[n]} swapped with {parts[following]}", swapped
    yield "another schema", tagged("boltq2:", queue, parts)
    yield "no schema", tagged("boltq:", queue, parts)
    yield "no prefix", tagged("1:", queue, parts)
    yield "a brace in the prefix", tagged("a{b1:", queue, parts)
    yield "no tag", [f"boltq1:{queue}:{part}" for part in parts]
    yield "upper case", [key.upper() for key in keys]
    for case, name in NO_QUEUES.items():
        yield f"a queue's name that is no name: {case}", tagged("boltq1:", name, parts)


@pytest.mark.parametrize("verb", SCRIPTS)
def test_wrong_keys_are_refused_by_name_and_nothing_is_written(
    q: QueueState, server: TestServer, verb: str
) -> None:
    if server.kind == "cluster":
        pytest.skip("a cluster refuses keys of several slots before any script runs")
    script, parts = SCRIPTS[verb], SCRIPTS[verb]["keys"]
    call = CASE_OF[verb].prepare(q)
    sha = q.raw.script_load(script["source"])
    rule = f"{verb} takes these keys of one queue, in this order: {' '.join(parts)}".encode()
    before, everything = q.dump(), set(q.raw.keys("*"))
    for case, keys in wrong_lists(q.name, parts):
        reply = q.raw.evalsha(sha, len(keys), *keys, *call.argv)
        assert reply == [b"BAD_KEYS", rule], case
    assert q.dump() == before
    assert set(q.raw.keys("*")) == everything


@pytest.mark.parametrize("verb", SCRIPTS)
@pytest.mark.parametrize("prefix", ["boltq", "b", "my:app-ä", "boltq1:x"])
def test_any_prefix_without_braces_is_the_users(q: QueueState, verb: str, prefix: str) -> None:
    call = CASE_OF[verb].prepare(q)
    keys = tagged(f"{prefix}1:", "a" * 128, SCRIPTS[verb]["keys"])
    reply = q.raw.eval(SCRIPTS[verb]["source"], len(keys), *keys, *call.argv)
    assert reply[0].decode() in {told["word"] for told in SCRIPTS[verb]["replies"]}
    q.raw.delete(*keys)
