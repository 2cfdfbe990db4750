"""Makes the bound blocks, the manifest, scripts.py and the reference from the headers of lua/.

Run as `python lua/compile.py`; `make lua` does. Exit status 0: written, or with --check all is as
it has to be; 1: a refusal, or with --check a difference.
"""

import argparse
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from contract import HeaderError, Part, Script, Tables
from emit_python import make_python
from emit_reference import make_reference
from header import read_part, read_script
from link import check_part, check_script, linked, order_parts, written
from manifest import check_unchanged, make_manifest
from names import check_names
from tables import read_tables


class RefusedError(Exception):
    """The first refusal of each file that has one."""

    def __init__(self, refusals: list[str]) -> None:
        super().__init__("\n".join(refusals))


@dataclass(frozen=True, slots=True)
class Compiled:
    """All outputs: the files by path, and each linked source by verb."""

    files: dict[Path, str]
    sources: dict[str, str]


@contextmanager
def _gathering(refusals: list[str]) -> Iterator[None]:
    try:
        yield
    except HeaderError as refusal:
        refusals.append(str(refusal))


def compile_folder(lua: Path, root: Path, *, new_contract: bool = False) -> Compiled:
    """Compile lua/ into the texts of all outputs below root, writing nothing.

    new_contract: do not compare with the present manifest, only with those of releases.
    Raises RefusedError with one sentence for each file that is refused.
    """
    refusals: list[str] = []
    try:
        tables = read_tables(lua, lua.name)
    except HeaderError as refusal:
        raise RefusedError([str(refusal)]) from refusal
    parts = _read_parts(lua, tables, refusals)
    if refusals:
        raise RefusedError(refusals)
    releases = sorted((root / "tests" / "manifests").glob("*.json"))
    present = [] if new_contract else [root / "boltq" / "manifest.json"]
    scripts: dict[str, Script] = {}
    sources: dict[str, str] = {}
    files: dict[Path, str] = {}
    for path in sorted(lua.glob("*.lua")):
        with _gathering(refusals):
            text = path.read_text(encoding="utf-8")
            script = read_script(text, f"{lua.name}/{path.name}", path.stem, tables)
            ordered = order_parts(script, parts)
            check_names(script, ordered)
            check_script(script, ordered, parts, tables)
            for manifest in (*releases, *present):
                check_unchanged(script, manifest, released=manifest in releases)
            scripts[script.name] = script
            sources[script.name] = linked(script, ordered, parts, tables)
            files[path] = written(script, ordered, tables)
    with _gathering(refusals):
        files[root / "boltq" / "scripts.py"] = make_python(scripts)
    if refusals:
        raise RefusedError(refusals)
    readme = lua / "README.md"
    prose = readme.read_text(encoding="utf-8") if readme.exists() else ""
    files[root / "boltq" / "manifest.json"] = make_manifest(scripts, sources, tables)
    files[readme] = make_reference(prose, scripts, tables)
    return Compiled(files, sources)


def _read_parts(lua: Path, tables: Tables, refusals: list[str]) -> dict[str, Part]:
    parts: dict[str, Part] = {}
    for path in sorted((lua / "parts").glob("*.lua")):
        with _gathering(refusals):
            file = f"{lua.name}/parts/{path.name}"
            parts[path.stem] = read_part(path.read_text(encoding="utf-8"), file, path.stem)
    # A part that was refused would be missed by those that use it.
    for part in () if refusals else parts.values():
        with _gathering(refusals):
            check_part(part, parts, tables)
    return parts


def differing(files: dict[Path, str]) -> list[Path]:
    """Return the files that do not hold what they should."""
    return [
        path
        for path, text in files.items()
        if not path.exists() or path.read_text(encoding="utf-8") != text
    ]


def _write(files: dict[Path, str]) -> None:
    for path, text in files.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")


def main(arguments: list[str], say: Callable[[str], object] = print) -> int:
    """Run the compiler; returns the exit status."""
    here = Path(__file__).resolve().parent
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--lua", type=Path, default=here, help="the folder of the scripts")
    parser.add_argument("--root", type=Path, default=here.parent, help="the folder of boltq/")
    parser.add_argument("--check", action="store_true", help="write nothing, name what differs")
    parser.add_argument("--linked", type=Path, help="write each linked source to this folder")
    parser.add_argument(
        "--new-contract",
        action="store_true",
        default=bool(os.environ.get("NEW_CONTRACT")),
        help="contracts may differ from the present manifest, but not from a release's",
    )
    options = parser.parse_args(arguments)
    try:
        compiled = compile_folder(options.lua, options.root, new_contract=options.new_contract)
    except RefusedError as refusal:
        say(str(refusal))
        return 1
    if options.linked:
        _write({options.linked / f"{name}.lua": text for name, text in compiled.sources.items()})
    changed = differing(compiled.files)
    if options.check:
        for path in changed:
            say(f"{os.path.relpath(path, options.root)}: differs from what `make lua` writes")
        return 1 if changed else 0
    if not options.linked:
        _write({path: compiled.files[path] for path in changed})
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
