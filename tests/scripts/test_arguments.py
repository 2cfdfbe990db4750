"""Every argument of every verb, by the range in its header: what is outside writes nothing."""

import json
from collections.abc import Callable, Iterator
from importlib.resources import files
from typing import Any

import pytest
from queue_state import QueueState

from boltq.call import Argument

SCRIPTS = json.loads(files("boltq").joinpath("manifest.json").read_text("utf-8"))["scripts"]

# A request of each verb that is accepted: its arguments, then one item of what repeats.
ACCEPTED: dict[str, tuple[tuple[Argument, ...], tuple[Argument, ...]]] = {
    "enqueue": (("priority=4 jitter=0",), ("new", "echo", b"{}", b"")),
    "claim": (("t2", "w1", 30_000, 10, 4_000_000), ()),
    "ack": ((b"",), ("held", "t1", b"")),
    "fail": ((b"",), ("held", "t1", b"E", b"m", b"s", 0, 0)),
    "extend": ((60_000, b"1 1 0 0.5 half\nline"), ("held", "t1")),
    "release": ((b"",), ("held", "t1", 0)),
    "promote": ((100,), ()),
    "reap": ((100,), ()),
    "cancel": ((), ("held",)),
    "replay": ((100, ""), ("dead",)),
    "purge": (("", 100, ""), ("dead", "")),
    "configure": ((), ("keep_dead", b"1")),
    "inspect": ((1,), ("held",)),
    "list": (("queued", "newest", 10, "", "echo", b"E", "w1", 1, 1, 100), ()),
    "group": (("dead", 100, ""), ()),
    "alter": ((), ("waiting", 7, "", "")),
    "operate": (("o1", "purge", "dead", "", b"", "", "", "", 0, "", 0, "who"), ()),
    "step": (("o1", 100), ()),
    "step_replay": (("o1", 100), ()),
    "stop": (("o1",), ()),
    "operations": (("o1",), ()),
    "drop": ((), ()),
    "stats": ((), ()),
    "series": ((60,), ()),
    "events": (("", 100), ()),
    "recall": ((), ("t1",)),
    "audit": (("job",), (b"held",)),
    "mend": (("job",), (b"held",)),
}
FIELDS = [
    pytest.param(verb, place, field, id=f"{verb}-{field['name']}")
    for verb, script in SCRIPTS.items()
    for place, field in [
        *(
            (("option" if field["type"] == "options" else "argument", n), one)
            for n, field in enumerate(script["arguments"])
            for one in field.get("options", [field])
        ),
        *(
            (("item", n), field)
            for n, field in enumerate((script["each"] or {"fields": []})["fields"])
        ),
    ]
]
EVERYWHERE_NO_NAME = [
    "-a",
    ".a",
    "_a",
    "a b",
    " a",
    "a ",
    "a\n",
    "\na",
    "a\r\nb",
    "a\0",
    "\0",
    "a/b",
]
NO_NAME = [
    *EVERYWHERE_NO_NAME,
    "a{b}",
    "{a}",
    "a*",
    "a\u00e9",
    "\U0001f600",
    b"\xff",
    "a\x7f",
    "a\\",
]
NO_NUMBER = [
    *(
        "-1",
        "+1",
        " 1",
        "1 ",
        " 5 ",
        "1\n",
        "1\0",
        "\0",
        "0x10",
        "1e3",
        "1e400",
        "inf",
        "nan",
        "NaN",
    ),
    *("-0", "1,5", "1_0", "\u0663", "\U0001f600", "None", "true", "9007199254740993", "9" * 400),
]
# Bytes of a form: see `told` in the headers.
TOLD = (
    "",
    "1 0 - -",
    "1 0 0 0 ",
    b"1 0 999999999 1 \xff" + bytes(190),
    b"1 1 - - \n" + bytes(4096),
)
NO_TEXT = ["a\nb", "a\r\n", "\0", "a\0b", "\t", "\x1b[31m", "a\x7f"]


REFUSED: dict[str, Callable[[int, int], list[Argument]]] = {
    "integer": lambda low, high: [low - 1, high + 1, f"{low}.0", f"{high}.5", *NO_NUMBER],
    "number": lambda low, high: [low - 1, high + 1, f"{high}.1", ".5", "1.2.3", *NO_NUMBER],
    "name": lambda _, high: ["a" * (high + 1), "a" * 10_000, "a:b", *NO_NAME],
    "type": lambda _, high: ["a" * (high + 1), ":a", *NO_NAME],
    "text": lambda _, high: ["a" * (high + 1), "\u00e9" * (high // 2 + 1), *NO_TEXT],
    "bytes": lambda _, high: [bytes(high + 1)],
    "word": lambda *_: ["nothing", "QUEUED", "queued ", "Newest", "\0"],
}


def refused_values(field: dict[str, Any]) -> Iterator[Argument]:
    low, high = field.get("range", (0, 0))
    if not field["optional"] and (low or field["type"] in ("integer", "number", "word")):
        yield b""
    yield from REFUSED[field["type"]](low, high)


def allowed_values(field: dict[str, Any]) -> Iterator[Argument]:
    low, high = field["range"]
    if field["optional"] or not low:
        yield "" if field["type"] not in ("integer", "number") or field["optional"] else 0
    match field["type"]:
        case "integer":
            yield from (low, high, f"000{low}")
        case "number":
            yield from (low, high, f"{low}.0", f"{low}.00000000000001")
        case "name":
            yield from ("a", "9", "a" * high, "aZ0_.-", "A--")
        case "type":
            yield from ("a", "a" * high, "a:b:", "Zz9_.-:")
        case "text":
            yield from ("a" * high, " ", "\u00e9\U0001f600 {}*", b"\xff\x80")
        case "bytes":
            yield from (bytes(high), b"\xff\0\r\n")


def written(place: tuple[str, int], field: dict[str, Any], value: Argument) -> Argument:
    """A value as it is sent: that of an option in a word."""
    if place[0] != "option":
        return value
    said = value if isinstance(value, bytes) else str(value).encode()
    return f"{field['name']}=".encode() + said


def request(verb: str, place: tuple[str, int], value: Argument) -> list[Argument]:
    """The accepted request with one value changed; of what repeats, in the second of two items."""
    arguments, item = (list(part) for part in ACCEPTED[verb])
    where, n = place
    if where != "item":
        arguments[n] = value
        return arguments + item
    other = list(item)
    other[n] = value
    return arguments + item + other


@pytest.fixture
def busy(q: QueueState) -> QueueState:
    """A queue in which every accepted request above would change something."""
    q.run("dead", token="t0")
    q.fail("dead", token="t0", final=1)
    q.run("held")
    q.enqueue("lapsed")
    q.claim("t9")
    q.make_due("running", "lapsed")
    q.enqueue("due", delay_ms=60_000)
    q.make_due("scheduled", "due")
    q.enqueue("waiting")
    q.silence()
    return q


@pytest.mark.parametrize(("verb", "place", "field"), FIELDS)
def test_a_value_outside_its_range_is_refused_by_name_and_writes_nothing(
    busy: QueueState, verb: str, place: tuple[str, int], field: dict[str, Any]
) -> None:
    before = busy.dump()
    named = f"item 2: {field['name']}" if place[0] == "item" else field["name"]
    for asked in refused_values(field):
        value = written(place, field, asked)
        if place[0] == "option" and asked == "1 ":
            continue  # a blank ends a word
        word, sentence = busy.send(verb, *request(verb, place, value))
        told = sentence.decode("ascii")
        assert word == b"BAD_ARGUMENT", value
        assert told.startswith(f"{named} must be "), value
        assert told.isprintable(), value
        assert len(told) < 250, value
    assert busy.dump() == before


@pytest.mark.parametrize(
    ("verb", "place", "field"),
    [case for case in FIELDS if case.values[0] in list(ACCEPTED)[:8]],
)
def test_a_value_at_the_ends_of_its_range_is_taken(
    busy: QueueState, verb: str, place: tuple[str, int], field: dict[str, Any]
) -> None:
    for asked in TOLD if field["name"] == "told" else allowed_values(field):
        value = written(place, field, asked)
        reply = busy.send(verb, *request(verb, place, value))
        assert reply[0] != b"BAD_ARGUMENT", (value, reply)


@pytest.mark.parametrize("verb", SCRIPTS)
def test_the_requests_that_these_tests_spoil_are_accepted_as_they_are(
    busy: QueueState, verb: str
) -> None:
    arguments, item = ACCEPTED[verb]
    reply = busy.send(verb, *arguments, *item)
    assert reply[0].decode() in {told["word"] for told in SCRIPTS[verb]["replies"]}


@pytest.mark.parametrize("verb", SCRIPTS)
def test_a_wrong_number_of_arguments_is_refused_and_writes_nothing(
    busy: QueueState, verb: str
) -> None:
    before = busy.dump()
    arguments, item = ACCEPTED[verb]
    each = SCRIPTS[verb]["each"]
    whole = [*arguments, *item]
    wrong = [[*whole, "more"]] if len(item) != 1 else []
    wrong += [whole[:-1]] if len(whole) > 1 and len(item) != 1 else []
    wrong += [list(arguments)] if each and each["least"] else []
    wrong += [list(arguments[:-1])] if arguments else []
    wrong += [[*arguments, *(item * (each["most"] + 1))]] if each else []
    assert wrong
    for argv in wrong:
        word, sentence = busy.send(verb, *argv)
        assert word == b"BAD_ARGUMENT", argv
        assert sentence.decode().startswith(f"{verb} takes "), argv
        assert sentence.decode().endswith(f"not {len(argv)}"), argv
    assert busy.dump() == before


@pytest.mark.parametrize("verb", [verb for verb in SCRIPTS if SCRIPTS[verb]["each"]])
def test_as_many_items_as_the_header_allows_are_taken(busy: QueueState, verb: str) -> None:
    arguments, item = ACCEPTED[verb]
    reply = busy.send(verb, *arguments, *(item * SCRIPTS[verb]["each"]["most"]))
    assert reply[0] not in (b"BAD_ARGUMENT", b"TOO_LARGE")


@pytest.mark.parametrize(("verb", "at"), [("enqueue", 2), ("ack", 2), ("fail", 3), ("fail", 4)])
def test_more_than_8_mib_in_one_call_are_too_large_and_write_nothing(
    busy: QueueState, verb: str, at: int
) -> None:
    before = busy.dump()
    arguments, item = ACCEPTED[verb]
    item = (*item[:at], bytes(900_000), *item[at + 1 :])
    word, sentence = busy.send(verb, *arguments, *(item * 10))
    total = 9_000_000 + 10 * sum(
        len(part) for n, part in enumerate(item) if n != at and isinstance(part, bytes)
    )
    assert word == b"TOO_LARGE"
    assert sentence.decode() == f"{verb} takes at most 8388608 bytes in one call, not {total}"
    assert busy.dump() == before


def test_just_8_mib_in_one_call_are_taken(q: QueueState) -> None:
    arguments, item = ACCEPTED["enqueue"]
    sizes = [1_000_000] * 8 + [388_608]
    items = [(f"j{n}", item[1], bytes(size), b"") for n, size in enumerate(sizes)]
    assert q.send("enqueue", *arguments, *(part for one in items for part in one))[4] == b"CREATED"
    q.raw.delete(q.key("jobs"), q.key("payloads"), q.key("queued"))
    before = q.dump()
    longer = [*items[:-1], ("j8", item[1], bytes(388_609), b"")]
    word, *_ = q.send("enqueue", *arguments, *(part for one in longer for part in one))
    assert word == b"TOO_LARGE"
    assert q.dump() == before
    q.raw.delete(q.key("stats"))
