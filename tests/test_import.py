"""What `import boltq` brings along: next to nothing, so that what needs none of it starts fast."""

import subprocess
import sys

HEAVY = ("redis", "asyncio", "falcon", "waitress", "msgspec", "ujson", "click", "rich", "hiredis")
LIGHT = 40
"""Modules beyond those of Python's own start; with redis they would be some 500."""


def imported(code: str) -> set[str]:
    """The modules that code imports which a bare interpreter has not."""
    told = "\nimport sys; print(*sys.modules)"
    bare, full = (
        subprocess.run(
            [sys.executable, "-I", "-c", each + told], capture_output=True, text=True, check=True
        ).stdout.split()
        for each in ("", code)
    )
    return set(full) - set(bare)


def test_the_package_alone_imports_nothing_heavy() -> None:
    modules = imported("import boltq")
    assert "boltq" in modules
    assert modules.isdisjoint(HEAVY)
    assert len(modules) <= LIGHT


def test_a_client_is_there_when_it_is_asked_for() -> None:
    assert {"boltq.client", "redis"} <= imported("from boltq import BoltQ")
