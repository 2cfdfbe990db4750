"""Numbers as texts: scores and stamps to the last digit, one by one and in a run."""

import re

import pytest
from every_verb import SCRIPTS
from queue_state import QueueState

LARGEST = 2**53
NUMBERS = [
    0, 7, 9_999_999, 10_000_000, 10_000_001, 19_999_999, 20_000_000, 123_456_789_012_345,
    30_000_000_000_000 - 1, 2**49, 9 * 2**49 + 2**49 - 1, LARGEST - 1, LARGEST,
]  # fmt: skip


def digits(q: QueueState, call: str, *argv: int) -> list[bytes]:
    """Run one of the two functions, as they are linked into enqueue."""
    source = SCRIPTS["enqueue"]["source"]
    parts = re.findall(r"^local function digits.*?^end\n", source, re.MULTILINE | re.DOTALL)
    assert len(parts) == 2
    found: list[bytes] = q.raw.eval(f"{''.join(parts)}return {call}", 0, *argv)
    return found


@pytest.mark.parametrize("number", NUMBERS)
def test_a_whole_number_is_written_to_its_last_digit(q: QueueState, number: int) -> None:
    assert digits(q, "{ digits(tonumber(ARGV[1])) }", number) == [b"%d" % number]


@pytest.mark.parametrize("first", [100, 9_999_995, 30_000_000_000_000 - 17, LARGEST - 500])
@pytest.mark.parametrize("count", [0, 1, 2, 11, 500])
def test_a_run_of_numbers_is_written_as_one_by_one(q: QueueState, first: int, count: int) -> None:
    run = digits(q, "digits_from(tonumber(ARGV[1]), tonumber(ARGV[2]))", first, count)
    assert run == [b"%d" % number for number in range(first, first + count)]
