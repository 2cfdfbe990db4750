"""boltq doctor."""

import json
from datetime import UTC
from typing import TYPE_CHECKING, Any

import click

from boltq.cli import options, tables
from boltq.cli.each import end_with
from boltq.cli.exits import Exit
from boltq.cli.screen import Zone, document
from boltq.cli.tables import Column
from boltq.errors import BadSetting

if TYPE_CHECKING:
    from boltq.doctor import Finding

COLUMNS = (Column("", coloured=True), Column("what"), Column("how it is", folded=True))


@click.command(epilog=options.example("boltq doctor", "boltq doctor --json"))
@options.as_json
@options.utc
@options.server_flags
def doctor(*, as_json: bool, zone: Zone, **flags: Any) -> None:
    """Look for what is wrong, and say what to do.

    The settings, the server and its configuration, the scripts, and each queue that is in use are
    looked at; nothing is changed. Exit status 1 if there is a problem, 5 if the server is away;
    warnings alone are 0.
    """
    findings = _examine(flags, UTC if as_json else zone)
    if as_json:
        fine = all(one.level != "problem" for one in findings)
        shown = {"ok": fine, "checks": [one._asdict() for one in findings]}
        document(json.dumps(shown, ensure_ascii=False).encode())
    else:
        tables.show(COLUMNS, ((one.level, one.check, _said(one)) for one in findings))
    problems = {one.check for one in findings if one.level == "problem"}
    end_with(Exit.SERVER if "server" in problems else Exit.FAILURE if problems else Exit.OK)


def _examine(flags: dict[str, Any], zone: Zone) -> "list[Finding]":
    from boltq import doctor
    from boltq.settings import Settings

    try:
        settings = Settings.load(flags)
    except BadSetting as refusal:
        return [doctor.Finding("problem", "settings", str(refusal), "mend it")]
    boltq = options.connected(settings)
    return [doctor.of_settings(settings), *doctor.examine(boltq, zone)]


def _said(finding: "Finding") -> str:
    return f"{finding.said}; {finding.do}" if finding.do else finding.said
