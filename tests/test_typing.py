"""The types of the public surface, under mypy and under pyright."""

import json
import re
import subprocess
import sys
from pathlib import Path

SURFACE = Path(__file__).parent / "typing" / "surface.py"
ROOT = SURFACE.parent.parent.parent
REFUSED = {
    number
    for number, line in enumerate(SURFACE.read_text().splitlines(), 1)
    if line.endswith("# refused")
}


def checked(*command: str) -> str:
    done = subprocess.run(
        [sys.executable, "-m", *command],
        capture_output=True,
        text=True,
        cwd=ROOT,
        timeout=55,
        check=False,
    )
    assert done.stdout, done.stderr
    return done.stdout


def test_mypy_refuses_what_is_wrong_and_nothing_else(tmp_path: Path) -> None:
    cache = str(tmp_path / "cache")
    said = checked("mypy", "--strict", "--no-pretty", "--cache-dir", cache, str(SURFACE))
    lines = {int(line) for line in re.findall(r"surface\.py:(\d+): error", said)}
    assert lines == REFUSED, said


def test_pyright_refuses_what_is_wrong_and_nothing_else(tmp_path: Path) -> None:
    settings = tmp_path / "pyrightconfig.json"
    told = {"include": [str(SURFACE)], "typeCheckingMode": "standard"}
    settings.write_text(json.dumps(told))
    python = sys.executable
    said = checked("basedpyright", "--outputjson", "--pythonpath", python, "-p", str(settings))
    errors = json.loads(said)["generalDiagnostics"]
    lines = {
        error["range"]["start"]["line"] + 1 for error in errors if error["severity"] == "error"
    }
    assert lines == REFUSED, said
