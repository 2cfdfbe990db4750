"""What README.md and the guides hold: their code blocks, tables, links and anchors."""

import re
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[1]
README = ROOT / "README.md"
GUIDES = tuple(
    ROOT / folder / "README.md" for folder in ("boltq", "boltq/worker", "boltq/ops", "boltq/api")
)
PAGES = (README, *GUIDES)

_FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_FILE = re.compile(r"# ([a-z_]+\.py)\n")
_LINK = re.compile(r"\[[^\]]+\]\(([^)\s]+)\)")
_CELLS = re.compile(r"(?<!\\)\|")
_HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)


class Block(NamedTuple):
    """A fenced block: its language, its text, the heading above it, and the line it begins in."""

    language: str
    text: str
    heading: str
    line: int


def blocks(page: Path, language: str) -> list[Block]:
    """All blocks of a language, in their order."""
    text = page.read_text(encoding="utf-8")
    assert text.count("\n```") == 2 * len(_FENCE.findall(text)), f"{page}: a fence is not closed"
    return [
        Block(
            language,
            found[2],
            _HEADING.findall(_FENCE.sub("", text[: found.start()]))[-1],
            text.count("\n", 0, found.start()) + 2,
        )
        for found in _FENCE.finditer(text)
        if found[1] == language
    ]


def commands(page: Path, language: str, heading: str) -> list[str]:
    """The lines of all blocks of a language below a heading, without comments and blank lines."""
    below = [block.text for block in blocks(page, language) if block.heading == heading]
    assert below, f"{page} has no block of {language} below {heading}"
    lines = [line.partition("  #")[0].strip() for line in "".join(below).splitlines()]
    return [line for line in lines if line and not line.startswith("#")]


def write_files(page: Path, folder: Path) -> list[str]:
    """Write the blocks of Python that begin with a comment naming a file; returns the names."""
    files = {found[1]: text for text in _python(page) if (found := _FILE.match(text))}
    for name, text in files.items():
        (folder / name).write_text(text, encoding="utf-8")
    return list(files)


def _python(page: Path) -> list[str]:
    return [block.text for block in blocks(page, "python")]


def rows(page: Path, first: str) -> list[list[str]]:
    """The rows of the table whose first column has that title, cell by cell."""
    lines = iter(page.read_text(encoding="utf-8").splitlines())
    assert any(line.startswith(f"| {first} |") for line in lines), f"{page} has no table {first}"
    assert set(next(lines)) <= set("|- ")
    found = []
    for line in lines:
        if not line.startswith("|"):
            break
        found.append([cell.replace("\\|", "|").strip() for cell in _CELLS.split(line)[1:-1]])
    return found


def codes(cell: str) -> list[str]:
    """What stands between backticks in a cell."""
    return re.findall(r"`([^`]+)`", cell)


def links(page: Path) -> list[str]:
    """Where its links lead."""
    return _LINK.findall(prose(page))


def anchors(page: Path) -> set[str]:
    """What may stand behind a # in a link to it: its headings, as GitHub writes them."""
    found: set[str] = set()
    for heading in _HEADING.findall(prose(page)):
        base = re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")
        number, anchor = 0, base
        while anchor in found:
            number += 1
            anchor = f"{base}-{number}"
        found.add(anchor)
    return found


def prose(page: Path) -> str:
    """What stands outside of its blocks."""
    return _FENCE.sub("", page.read_text(encoding="utf-8"))
