"""Completion: what a shell offers after a few letters, and that it costs no connection."""

import shutil
import subprocess
from pathlib import Path

import pytest
from programs import BIN, environment, run
from servers import missing

# What bash does when somebody presses Tab after these words.
PRESS_TAB = """
eval "$(boltq completion bash)"
COMP_WORDS=({words}); COMP_CWORD=$(( ${{#COMP_WORDS[@]}} - 1 ))
_boltq_completion boltq "${{COMP_WORDS[COMP_CWORD]}}"
printf '%s\\n' "${{COMPREPLY[@]}}"
"""


@pytest.mark.parametrize(
    ("words", "offered"),
    [
        ("boltq qu", ["queues"]),
        ("boltq d", ["dead", "doctor"]),
        ("boltq queues p", ["pause"]),
        ("boltq jobs list --st", ["--state"]),
        ("boltq jobs list --state ru", ["running"]),
        ("boltq jobs --state ru", ["running"]),
        ("boltq export s", ["scripts", "systemd"]),
    ],
)
def test_bash_completes_commands_verbs_flags_and_words(
    words: str, offered: list[str], tmp_path: Path
) -> None:
    bash = shutil.which("bash")
    if bash is None:
        missing("bash")
    done = subprocess.run(
        [str(bash), "--norc", "-c", PRESS_TAB.format(words=words)],
        cwd=tmp_path,
        env=environment(REDIS_ADDR="127.0.0.1:9") | {"PATH": f"{BIN}:/usr/bin:/bin"},
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert done.stderr == ""
    assert done.stdout.split() == offered


@pytest.mark.parametrize(("shell", "mark"), [("zsh", "#compdef boltq"), ("fish", "complete ")])
def test_other_shells_are_given_a_script_of_their_own(
    shell: str, mark: str, tmp_path: Path
) -> None:
    ran = run(tmp_path, "boltq", "completion", shell)
    assert (ran.returncode, ran.stderr) == (0, "")
    assert mark in ran.stdout
    assert "_BOLTQ_COMPLETE" in ran.stdout
