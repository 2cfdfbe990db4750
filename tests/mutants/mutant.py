"""A mutant: BoltQ with one mistake made on purpose, as a whole `boltq` for any test to run on."""

import hashlib
import json
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

ROOT = Path(__file__).resolve().parents[2]
LUA = ROOT / "lua"
sys.path.insert(0, str(LUA))

from contract import Part, Script, Tables  # noqa: E402 - these lie in lua/, which is no package
from header import read_part, read_script  # noqa: E402
from link import linked, order_parts  # noqa: E402
from tables import read_tables  # noqa: E402


@dataclass(frozen=True)
class Mutant:
    """One mistake.

    file: what is spoiled: a file of lua/, `linked/ack` for the block that is bound to ack, or a
        file of boltq/.
    right, wrong: the text, which stands there once, and what it becomes.
    tests: the files asked first: `ack` is scripts/test_ack.py, `./test_acl` is test_acl.py. With
        `::test_name` behind, it is this test that must fail, whatever others do.
    rows: the numbers of the faults, in FAULTS.md, that the tests show.
    """

    file: str
    right: str
    wrong: str
    tests: tuple[str, ...]
    rows: tuple[int, ...] = ()

    @property
    def name(self) -> str:
        """The same for the same mistake, whatever else is in the list."""
        digest = hashlib.sha1((self.file + self.right + self.wrong).encode()).hexdigest()
        rows = "".join(f"fault {row} " for row in self.rows)
        return f"{rows}{self.file.removesuffix('.lua')}-{digest[:4]}"

    @property
    def shown(self) -> str:
        right, wrong = (" ".join(text.split()) for text in (self.right, self.wrong))
        return f"{self.file}: {right!r} became {wrong!r}"

    @property
    def is_of_package(self) -> bool:
        """Whether it spoils what is in boltq/, not the scripts."""
        return self.file.startswith("boltq/")

    def addresses(self) -> list[str]:
        """The tests as pytest is told them."""
        return [_address(test) for test in self.tests]


def _address(test: str) -> str:
    file, *name = test.split("::")
    path = f"{file[2:]}.py" if file.startswith("./") else f"scripts/test_{file}.py"
    return "::".join((f"tests/{path}", *name))


def right_text(mutant: Mutant) -> str:
    """The whole text in which the mistake is made."""
    folder, _, name = mutant.file.rpartition("/")
    if folder == "linked":
        return sources(None)[name]
    return ((ROOT if mutant.is_of_package else LUA) / mutant.file).read_text("utf-8")


def spoiled(text: str, mutant: Mutant) -> str:
    """The text with the mistake; fails unless what is right stands there exactly once."""
    found = text.count(mutant.right)
    if found != 1:
        raise ValueError(f"{mutant.file}: {mutant.right!r} stands there {found} times, not once")
    return text.replace(mutant.right, mutant.wrong)


def listed(text: str) -> Iterator[Mutant]:
    """The mutants of a list: blocks of a line `file: tests`, then what is right and what is wrong.

        release.lua: release bell
        -     to_ring = true
        +     to_ring = false

    A block without a + drops what is right. Numbers before the tests are rows of FAULTS.md. Lines
    that begin with # are for people.
    """
    lines = "".join(line for line in text.splitlines(keepends=True) if not line.startswith("#"))
    for block in filter(None, (block.strip("\n") for block in lines.split("\n\n"))):
        head, *changes = block.split("\n")
        file, told = head.split(": ")
        rows, tests = _split(told.split())
        sides = {
            sign: "\n".join(line[2:] for line in changes if line[0] == sign) for sign in ("-", "+")
        }
        yield Mutant(file, sides["-"], sides["+"], tests, rows)


def _split(words: list[str]) -> tuple[tuple[int, ...], tuple[str, ...]]:
    rows = tuple(int(word) for word in words if word.isdecimal())
    return rows, tuple(word for word in words if not word.isdecimal())


class Engine(NamedTuple):
    """lua/ as it is read; linking it anew is quick, checking it again is not needed."""

    tables: Tables
    parts: dict[str, Part]
    scripts: dict[str, Script]

    def source(self, verb: str) -> str:
        script = self.scripts[verb]
        return linked(script, order_parts(script, self.parts), self.parts, self.tables)

    def users(self, part: str) -> list[str]:
        return [
            verb for verb, script in self.scripts.items() if part in order_parts(script, self.parts)
        ]


@cache
def _engine() -> Engine:
    tables = read_tables(LUA, "lua")
    parts = {
        path.stem: read_part(path.read_text("utf-8"), path.name, path.stem)
        for path in sorted((LUA / "parts").glob("*.lua"))
    }
    scripts = {
        path.stem: read_script(path.read_text("utf-8"), path.name, path.stem, tables)
        for path in sorted(LUA.glob("*.lua"))
    }
    return Engine(tables, parts, scripts)


@cache
def _sources() -> dict[str, str]:
    engine = _engine()
    return {verb: engine.source(verb) for verb in engine.scripts}


def sources(mutant: Mutant | None) -> dict[str, str]:
    """The linked text of every script, with the mistake in those that use what is spoiled."""
    engine, texts = _engine(), _sources()
    if mutant is None or mutant.is_of_package:
        return texts
    folder, _, name = mutant.file.removesuffix(".lua").rpartition("/")
    text = spoiled(right_text(mutant), mutant)
    if folder == "linked":
        return {**texts, name: text}
    if folder == "parts":
        part = read_part(text, mutant.file, name)
        worse = engine._replace(parts={**engine.parts, name: part})
        return texts | {verb: worse.source(verb) for verb in engine.users(name)}
    script = read_script(text, mutant.file, name, engine.tables)
    worse = engine._replace(scripts={**engine.scripts, name: script})
    return texts | {name: worse.source(name)}


def make(mutant: Mutant | None, folder: Path) -> Path:
    """Lay out `boltq` in a folder with the mistake in it; the path to import it from.

    All but the manifest and what is spoiled are links, so that programs, clients and tests see the
    same mutant.
    """
    package = folder / "boltq"
    package.mkdir(parents=True)
    _link(ROOT / "boltq", package, but="manifest.json")
    (package / "manifest.json").write_text(json.dumps(_manifest(mutant)), "utf-8")
    if mutant and mutant.is_of_package:
        _spoil(mutant, folder)
    return folder


def _spoil(mutant: Mutant, folder: Path) -> None:
    """Put the spoiled file, in folders of its own, where its link is."""
    place = folder / mutant.file
    for inner in reversed(place.relative_to(folder / "boltq").parents[:-1]):
        linked_folder = folder / "boltq" / inner
        linked_folder.unlink()
        linked_folder.mkdir()
        _link(ROOT / "boltq" / inner, linked_folder)
    place.unlink()
    place.write_text(spoiled(right_text(mutant), mutant), "utf-8")


def _link(there: Path, here: Path, but: str = "") -> None:
    for entry in there.iterdir():
        if entry.name not in (but, "__pycache__"):
            (here / entry.name).symlink_to(entry)


def _manifest(mutant: Mutant | None) -> dict[str, Any]:
    manifest: dict[str, Any] = json.loads((ROOT / "boltq" / "manifest.json").read_text("utf-8"))
    texts = sources(mutant)
    changed = False
    for verb, script in manifest["scripts"].items():
        changed |= script["source"] != texts[verb]
        script["source"] = texts[verb]
        script["sha1"] = hashlib.sha1(texts[verb].encode()).hexdigest()
    if changed != (mutant is not None and not mutant.is_of_package):
        raise ValueError(f"{mutant.shown} changes nothing" if mutant else "first run `make lua`")
    return manifest
