"""Completion: what a shell offers after a few letters; names of queues and workers it asks for."""

import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from programs import BIN, environment, run
from servers import TestServer, missing

from boltq import BoltQ, ids, presence

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
    assert offers(words, tmp_path, REDIS_ADDR="127.0.0.1:9") == offered


def test_bash_completes_names_of_queues_and_workers_if_the_server_answers(
    shared_servers: Callable[[str], TestServer], tmp_path: Path
) -> None:
    client = BoltQ(shared_servers("valkey").address, prefix=f"tab-{ids.new_token()[:8]}")
    for queue in ("mail", "mailings", "other"):
        client.enqueue("echo", queue=queue)
    report = presence.Report("web1-7", "h", 7, "1", {}, 8, 1).to_bytes()
    told = {"REDIS_ADDR": client.server.address.shown, "BOLTQ_PREFIX": client.server.prefix}
    for words, offered in (
        ("boltq queues pause ma", ["mail", "mailings"]),
        ("boltq jobs --queue o", ["other"]),
        ("boltq workers quiet we", ["web1-7"]),
    ):
        client.server.registry.note_worker("web1-7", report, client.server.now_ms())
        assert offers(words, tmp_path, **told) == offered
        assert offers(words, tmp_path, REDIS_ADDR="127.0.0.1:9") == []
    client.close()


def offers(words: str, tmp_path: Path, **told: str) -> list[str]:
    bash = shutil.which("bash")
    if bash is None:
        missing("bash")
    done = subprocess.run(
        [str(bash), "--norc", "-c", PRESS_TAB.format(words=words)],
        cwd=tmp_path,
        env=environment(**told) | {"PATH": f"{BIN}:/usr/bin:/bin"},
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert done.stderr == ""
    return done.stdout.split()


@pytest.mark.parametrize(("shell", "mark"), [("zsh", "#compdef boltq"), ("fish", "complete ")])
def test_other_shells_are_given_a_script_of_their_own(
    shell: str, mark: str, tmp_path: Path
) -> None:
    ran = run(tmp_path, "boltq", "completion", shell)
    assert (ran.returncode, ran.stderr) == (0, "")
    assert mark in ran.stdout
    assert "_BOLTQ_COMPLETE" in ran.stdout
