"""What nobody should send: a corpus, and more of its kind from hypothesis.

FUZZ=1000 gives more of them, SEED=7 the same again.
"""

import os
import random
import re
from collections.abc import Callable
from typing import Any

from hypothesis import HealthCheck, given, seed, settings
from hypothesis import strategies as st

SEED = int(os.environ.get("SEED") or random.SystemRandom().randrange(2**32))
TRIES = settings(
    max_examples=int(os.environ.get("FUZZ") or 25),
    deadline=None,
    database=None,
    suppress_health_check=list(HealthCheck),
)

HOSTILE: list[bytes] = [
    *(b"", b" ", b"\0", b"a\0b", b"\r\n", b"a\r\nb", b"\n", b"\x1b[2J", b"\x7f", b"\xff\xfe"),
    *(b"0x10", b" 5 ", b"5 ", b"inf", b"-inf", b"nan", b"1e3", b"1e400", b"-0", b"-1", b"+1"),
    *(b"9007199254740993", b"18446744073709551616", b"0" * 17, b"1" * 400, b"1.", b".5", b"1..2"),
    *("\U0001f600".encode(), "\u202e".encode(), "\u2028".encode(), "\u0663".encode(), b"\xc0\xaf"),
    *(
        b"{a}",
        b"a{b}",
        b"{",
        b"}{",
        b"*",
        b"?",
        b"[a]",
        b"\\",
        b"..",
        b"../x",
        b"%00",
        b"%s%n%d",
        b"a:b",
    ),
    *(b"KEYS[1]", b"return 1", b"'; redis.call('FLUSHALL') --", b"<script>", b"${x}", b"-", b"_"),
    *(b"status", b"batch", b"a" * 129, b"a" * 65, b"x" * 2**20, b"\n" * 2**20),
]
hostile = st.one_of(
    st.sampled_from(HOSTILE),
    st.binary(max_size=40),
    st.text(max_size=40).map(lambda text: text.encode("utf-8", "surrogatepass")),
    st.integers(-(2**70), 2**70).map(lambda number: str(number).encode()),
    st.floats().map(lambda number: str(number).encode()),
)
NAMES = {"name": rb"[A-Za-z0-9][A-Za-z0-9_.-]*", "type": rb"[A-Za-z0-9][A-Za-z0-9_.:-]*"}


def is_name(kind: str, text: bytes) -> bool:
    return re.fullmatch(NAMES[kind], text) is not None


def try_all(check: Callable[[Any], None], *drawn: st.SearchStrategy[Any]) -> None:
    """Check the whole corpus, and some more that are drawn; the seed is told by a failure."""
    for value in () if drawn else HOSTILE:
        check(value)
    try:
        seed(SEED)(TRIES(given(*(drawn or (hostile,)))(check)))()
    except BaseException as problem:
        problem.add_note(f"again with SEED={SEED}")
        raise
