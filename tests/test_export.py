"""What `boltq export` writes: units that systemd understands, and a Procfile."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from programs import run
from servers import missing

from boltq import export
from boltq.child import END_SECONDS, GRACE_SECONDS
from boltq.cli.exits import Exit
from boltq.errors import BadArgument


def units(folder: Path, *flags: str) -> dict[str, str]:
    ran = run(folder, "boltq", "export", "systemd", "units", *flags)
    assert (ran.returncode, ran.stderr) == (0, "")
    assert ran.stdout.split() == ["units/boltq-api.service", "units/boltq-worker@.service"]
    return {path.name: path.read_text() for path in (folder / "units").iterdir()}


def test_units_run_this_installation_as_a_user_of_their_own(tmp_path: Path) -> None:
    written = units(tmp_path, "--app", "shop.jobs:app", "--user", "shop")
    programs = Path(sys.executable).parent
    api, worker = written["boltq-api.service"], written["boltq-worker@.service"]
    assert f'ExecStart="{programs}/boltq" api\n' in api
    assert f'ExecStart="{programs}/boltq-worker" shop.jobs:app --worker-id %l-%i\n' in worker
    for text in (api, worker):
        for line in (
            *("User=shop", f"WorkingDirectory={tmp_path}", "EnvironmentFile=-/etc/boltq.env"),
            *("Restart=on-failure", "KillSignal=SIGTERM", "KillMode=mixed"),
            *("NoNewPrivileges=yes", "ProtectSystem=strict"),
        ):
            assert f"\n{line}\n" in text


def test_systemd_waits_longer_than_a_worker_needs_to_end(tmp_path: Path) -> None:
    for text in units(tmp_path).values():
        (seconds,) = re.findall(r"(?m)^TimeoutStopSec=(\d+)$", text)
        assert int(seconds) > GRACE_SECONDS + END_SECONDS


def test_systemd_finds_nothing_wrong_with_the_units(tmp_path: Path) -> None:
    if shutil.which("systemd-analyze") is None:
        missing("systemd-analyze")
    # A folder whose name means something to systemd. The user must exist for it.
    folder = tmp_path / "a %i b"
    folder.mkdir()
    units(folder, "--user", "daemon")
    worker = folder / "units/boltq-worker@.service"
    worker.rename(folder / "units/boltq-worker@1.service")
    for name in ("boltq-api.service", "boltq-worker@1.service"):
        checked = subprocess.run(
            ["systemd-analyze", "verify", "--man=no", str(folder / "units" / name)],
            capture_output=True,
            text=True,
            timeout=30,
            check=False,
        )
        # It speaks of other units of the machine, too.
        ours = [line for line in checked.stderr.splitlines() if "boltq" in line]
        assert (ours, checked.returncode) == ([], 0)


def test_a_procfile_is_printed_or_written(tmp_path: Path) -> None:
    said = "api: boltq api\nworker: boltq-worker shop.jobs:app\n"
    command = ("boltq", "export", "procfile", "--app", "shop.jobs:app")
    assert run(tmp_path, *command).stdout == said
    assert run(tmp_path, *command, "here").stdout == "here/Procfile\n"
    assert (tmp_path / "here/Procfile").read_text() == said


@pytest.mark.parametrize("app", ["shop", "a:b\nExecStartPre=x", "a:b %i", "a b:c"])
def test_an_app_that_is_none_is_refused(app: str) -> None:
    with pytest.raises(BadArgument, match="of the form module:app"):
        export.procfile(app)
    with pytest.raises(BadArgument, match="of the form module:app"):
        export.systemd_units(app, "boltq", Path("/"))


@pytest.mark.parametrize("user", ["root", "", "a b", "x\nUser=root"])
def test_a_user_that_is_none_or_root_is_refused(user: str, tmp_path: Path) -> None:
    with pytest.raises(BadArgument, match="user must be"):
        export.systemd_units(None, user, Path("/"))
    ran = run(tmp_path, "boltq", "export", "systemd", "units", "--user", user)
    assert (ran.returncode, list(tmp_path.iterdir())) == (Exit.USAGE, [])
