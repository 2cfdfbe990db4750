"""The scripts as files: all that a client in another language needs, wherever it is kept."""

import json
from importlib.resources import files
from pathlib import Path

from boltq.errors import BadSetting

ROWS = "scripts.txt"
"""For clients that read no JSON: a line for each script, of its name, version, SHA-1 and keys."""


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
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, content in exported.items():
            (folder / name).write_bytes(content)
    except OSError as error:
        raise BadSetting(f"the scripts cannot be written to {folder}: {error.strerror}") from error
    return list(exported)
