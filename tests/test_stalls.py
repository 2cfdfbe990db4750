"""The rig that makes a machine seem busy: the waits of Python are longer there."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from servers import missing

TESTS = Path(__file__).parent

WAITS = """
import select, sys, time
began, poll = time.monotonic(), select.poll()
for _ in range(20):
    poll.poll(0)
print(time.monotonic() - began)
sys.exit(7)
"""


def stalls(*arguments: str) -> subprocess.CompletedProcess[str]:
    ran = subprocess.run(
        [sys.executable, "-m", "rig.stalls", *arguments],
        env=os.environ | {"PYTHONPATH": str(TESTS)},
        capture_output=True,
        text=True,
        check=False,
    )
    if "no C compiler" in ran.stderr:
        missing("a C compiler (Debian: apt install gcc libc6-dev)")
    return ran


@pytest.mark.parametrize(("every", "least", "most"), [("1", 0.05, 60), ("1000000000", 0, 0.05)])
def test_one_of_so_many_waits_is_longer(every: str, least: float, most: float) -> None:
    """At 1 the 20 waits take 0.5 s, give or take 0.07; they would take no time without."""
    told = ("--every", every, "--most-ms", "50", "--", sys.executable, "-c", WAITS)
    seconds, statuses = [], set()
    for _ in range(3):
        ran = stalls(*told)
        statuses.add(ran.returncode)
        seconds.append(float(ran.stdout))
    assert statuses == {7}
    assert least <= min(seconds) < most
