"""What BoltQ writes out: scripts for clients in other languages, and how an init system runs it."""

import json
import re
import sys
from collections.abc import Mapping
from importlib.resources import files
from pathlib import Path

from boltq.errors import BadArgument, BadSetting

ROWS = "scripts.txt"
"""For clients that read no JSON: a line for each script, of its name, version, SHA-1 and keys."""

STOP_SECONDS = 45
"""Above the 25 s that running jobs have to finish, and the 15 s that a parent waits beside."""

_APP = re.compile(r"[A-Za-z_][\w.]*:[A-Za-z_]\w*")
_USER = re.compile(r"[a-z_][a-z0-9_-]{0,31}")

# KillMode: the worker's own processes are ended by the worker; what is left of them, by systemd.
# Status 2 is a setting that would be refused again.
_UNIT = """\
[Unit]
Description=BoltQ {what}
Wants=network-online.target
After=network-online.target redis.service redis-server.service valkey.service

[Service]
Type=exec
# Not there yet? useradd --system --no-create-home {user}
User={user}
WorkingDirectory={folder}
StateDirectory=boltq
Environment=BOLTQ_DATA_DIR=/var/lib/boltq BOLTQ_LOG=json
# REDIS_ADDR=... and what else .env.example names; systemd reads it as root.
EnvironmentFile=-/etc/boltq.env
ExecStart={command}
Restart=on-failure
RestartSec=2
RestartPreventExitStatus=2
KillSignal=SIGTERM
KillMode=mixed
TimeoutStopSec={stop_seconds}

CapabilityBoundingSet=
LockPersonality=yes
NoNewPrivileges=yes
PrivateDevices=yes
PrivateTmp=yes
ProtectClock=yes
ProtectControlGroups=yes
ProtectHome=read-only
ProtectHostname=yes
ProtectKernelLogs=yes
ProtectKernelModules=yes
ProtectKernelTunables=yes
ProtectSystem=strict
RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6
RestrictNamespaces=yes
RestrictRealtime=yes
RestrictSUIDSGID=yes
SystemCallArchitectures=native
UMask=0077

[Install]
WantedBy=multi-user.target
"""


def export_scripts(folder: Path) -> list[str]:
    """Write the linked scripts and manifest.json into a folder, and name the files written.

    `<verb>.lua` is what EVALSHA runs, to the byte: its SHA-1 is the one in the manifest. The folder
    is made if it is missing; what else it holds stays. Raises BadSetting if it cannot be written.
    """
    manifest = files("boltq").joinpath("manifest.json").read_bytes()
    scripts = json.loads(manifest)["scripts"].values()
    rows = (
        f"{script['name']} {script['version']} {script['sha1']} {' '.join(script['keys'])}\n"
        for script in scripts
    )
    exported = {f"{script['name']}.lua": script["source"].encode() for script in scripts}
    exported |= {"manifest.json": manifest, ROWS: "".join(rows).encode()}
    return write(folder, exported)


def systemd_units(app: str | None, user: str, folder: Path) -> dict[str, bytes]:
    """Make the units of the API and of workers, by the names of their files.

    They run the programs that stand beside this Python, in `folder`, where the module of `app` is
    looked for first. app: `module:app`; None: the built-in types. user: who runs them.
    Raises BadArgument for an app or a user that is none, or is root.
    """
    if not _USER.fullmatch(user) or user == "root":
        raise BadArgument(f"user must be the name of a user other than root; it is {user!r}")
    programs = Path(sys.executable).parent
    served = f" {_checked_app(app)}" if app else ""
    commands = {
        "boltq-api.service": ("API", f"{_quoted(programs / 'boltq')} api"),
        "boltq-worker@.service": (
            "worker %i",
            f"{_quoted(programs / 'boltq-worker')}{served} --worker-id %l-%i",
        ),
    }
    return {
        name: _UNIT.format(
            what=what,
            user=user,
            folder=str(folder).replace("%", "%%"),
            command=command,
            stop_seconds=STOP_SECONDS,
        ).encode()
        for name, (what, command) in commands.items()
    }


def monitoring() -> dict[str, bytes]:
    """Return alerts for Prometheus and a dashboard for Grafana, by the names of their files."""
    ops = files("boltq").joinpath("ops")
    return {name: ops.joinpath(name).read_bytes() for name in ("alerts.yml", "grafana.json")}


def procfile(app: str | None) -> str:
    """Make a Procfile of the API and a worker. Raises BadArgument for an app that is none."""
    served = f" {_checked_app(app)}" if app else ""
    return f"api: boltq api\nworker: boltq-worker{served}\n"


def write(folder: Path, contents: Mapping[str, bytes]) -> list[str]:
    """Write files into a folder, which is made if it is missing, and return their names.

    Raises BadSetting if it cannot be written.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, content in contents.items():
            (folder / name).write_bytes(content)
    except OSError as error:
        raise BadSetting(f"the files cannot be written to {folder}: {error.strerror}") from error
    return list(contents)


def _checked_app(app: str) -> str:
    if not _APP.fullmatch(app):
        raise BadArgument(f"app must be of the form module:app, as in mail.jobs:app; it is {app!r}")
    return app


def _quoted(program: Path) -> str:
    """Write a path as systemd reads it, blanks and percent signs included."""
    return '"' + str(program).replace("\\", "\\\\").replace("%", "%%") + '"'
