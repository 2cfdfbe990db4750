"""A header cut into its title, its prose and its sections."""

import re
from dataclasses import dataclass

from contract import Place

ORDER = ("KEYS", "ARGV", "OPTIONS", "EACH", "SETTINGS", "REPLIES", "ERRORS", "COST", "USES")
_MANDATORY = ("KEYS", "REPLIES", "ERRORS", "COST")
_SECTION = re.compile(r"([A-Z][A-Z_]+)(?:\s\s+(\S.*))?")


@dataclass(frozen=True, slots=True)
class Row:
    """A line of a section: how deep it stands, and its text."""

    indent: int
    text: str
    place: Place


@dataclass(slots=True)
class Section:
    """What stands beside a section's name, and below it."""

    beside: str
    rows: list[Row]
    place: Place

    def words(self) -> tuple[str, ...]:
        """Return the section as a list of words."""
        return tuple(self.text().split())

    def text(self) -> str:
        """Return the section as one line of text."""
        return " ".join([self.beside, *(row.text for row in self.rows)]).strip()


def is_heading(line: str) -> bool:
    """Tell whether a line opens a section: capitals, and then nothing or two spaces."""
    return _SECTION.fullmatch(line) is not None


def read_sections(lines: list[str], place: Place, *, part: bool = False) -> dict[str, Section]:
    """Cut the lines, the first of which stands at the place; a part has fewer sections."""
    known = ("KEYS", "USES", "RARE") if part else ORDER
    found: dict[str, Section] = {}
    current: Section | None = None
    for number, line in enumerate(lines, place.line):
        here = Place(place.file, number)
        text = line.strip()
        if not text:
            continue
        if line.startswith(" ") and current:
            current.rows.append(Row(len(line) - len(line.lstrip()), text, here))
            continue
        match = _SECTION.fullmatch(line)
        if not match:
            raise here.error(f"expected a section or a line indented below one, found '{line}'")
        _check_name(match[1], known, found, here)
        current = found[match[1]] = Section(match[2] or "", [], here)
    if not part:
        for name in _MANDATORY:
            if name not in found:
                raise place.error(f"expected the section {name}")
    return found


def _check_name(name: str, known: tuple[str, ...], found: dict[str, Section], here: Place) -> None:
    if name not in known:
        raise here.error(f"expected a section of {' '.join(known)}, found '{name}'")
    if name in found:
        raise here.error(f"expected each section once, found {name} again")
    later = [other for other in found if known.index(other) > known.index(name)]
    if later:
        raise here.error(f"expected {name} before {later[0]}: the order is {' '.join(known)}")
