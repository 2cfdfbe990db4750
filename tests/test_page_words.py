"""The page's texts in each language: all, none that is not used, and no text without one."""

import json
import re
from pathlib import Path
from typing import Any

import page_words
import pytest
from page_words import Text, holes

import boltq

FOLDER = Path(boltq.__file__).parent / "page"
SOURCES = sorted([*FOLDER.glob("*.js"), *FOLDER.glob("screens/*.js")])
FILES = sorted(FOLDER.glob("words/*.js"))
FOUND = {
    str(path.relative_to(FOLDER)): page_words.read(path.read_text("utf-8")) for path in SOURCES
}

ASK = "; how the page speaks other languages, and what to do now, is told in boltq/page/README.md"

NAMES = {
    *("BoltQ", "UTC", "API", "Python", "curl", "openapi.json", "Enter", "Esc", "Escape"),
    *("boltq-worker", "boltq-worker --queues", "BOLTQ_ENVIRONMENT"),  # what is typed into a shell
    *("English", "Deutsch", "Français", "Español"),  # each in its own, for who reads no other
}
"""What is the same in every language."""

MUTE = {
    "ask.js": "Bearer |Location",
    "chart.js": r"11px sans-serif|color-mix\(",
    "docs.js": "Bearer |Authorization|status bad",
    "keyboard.js": "input, textarea|a, button",
    "scenes.js": "the other side is down|\0 of the playground",  # what jobs say
    "screens/playground.js": r'\{"recipient"',
    "snippets.js": (
        r"boltq |(dead|jobs) [a-z]+|(from|import) (boltq|BoltQ|datetime)|for id in|"
        r"(True|False|None)$"
    ),
}
"""How that begins of a file which nobody reads, though it looks as if, or which is code to copy."""


def words(path: Path) -> dict[str, Any]:
    """What a file of a language holds: each line of it is a key and a text, or its plural forms."""
    body = path.read_text("utf-8").partition("export default {")[2].rpartition("};")[0]
    lines = [line for line in body.splitlines() if not line.strip().startswith("//")]
    text = re.sub(r"(?<=[{,] )(zero|one|two|few|many|other): ", r'"\1": ', "\n".join(lines))

    def once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        assert len(dict(pairs)) == len(pairs), f"{path}: twice: {pairs}"
        return dict(pairs)

    return dict(json.loads(f"{{{text.rstrip().removesuffix(',')}}}", object_pairs_hook=once))


def keys() -> dict[str, str | None]:
    """Each text of the page, and of one that counts what it is for one thing."""
    one: dict[str, str | None] = {}
    for found in FOUND.values():
        one.update({key.text: None for key in found.keys})
        one.update({more.text: single.text for single, more in found.counted})
    return one


def forms(told: object) -> list[str]:
    return list(told.values()) if isinstance(told, dict) else [str(told)]


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_a_language_has_every_text_and_none_that_nobody_says(path: Path) -> None:
    there, needed = words(path), keys()
    missing = [
        f"  {json.dumps(key, ensure_ascii=False)}: {'' if one is None else '{ one: }'},"
        for key, one in needed.items()
        if key not in there
    ]
    assert not missing, f"boltq/page/words/{path.name} lacks{ASK}:\n" + "\n".join(missing)
    dead = sorted(set(there) - set(needed))
    assert not dead, f"boltq/page/words/{path.name} has what the page never says{ASK}: {dead}"
    for key, told in there.items():
        assert isinstance(told, dict) == (needed[key] is not None), f"{path.name}: {key} has forms"
        assert not isinstance(told, dict) or "other" in told, f"{path.name}: {key} needs other:"


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_a_translation_has_the_holes_of_its_key_and_no_markup(path: Path) -> None:
    for key, told in words(path).items():
        for text in forms(told):
            # What is one may say so in a word.
            left = {"n"} if isinstance(told, dict) else set()
            assert holes(text) - left == holes(key) - left, f"{path.name}: {key!r}: {text!r}"
            assert not re.search(r"[<>]|&\w+;", text), f"{path.name}: {text!r} has markup"
            assert text.strip(), f"{path.name}: {key!r} is empty"
        assert not isinstance(told, dict) or "{n}" in told["other"] or "{n}" not in key


@pytest.mark.parametrize("name", FOUND)
def test_no_text_of_the_page_is_without_a_language(name: str) -> None:
    bare = [one for one in FOUND[name].bare if not is_same_everywhere(name, one)]
    told = [f"boltq/page/{name}:{line}: {text.replace(chr(0), '…')!r}" for line, text in bare]
    assert not told, f"said without t() or many(){ASK}:\n" + "\n".join(told)


def is_same_everywhere(name: str, one: Text) -> bool:
    mute = re.match(MUTE.get(name, "$"), one.text)
    return mute is not None or one.text.replace("\0", "").strip(" ·") in NAMES


@pytest.mark.parametrize("name", FOUND)
def test_a_text_is_written_where_it_is_said(name: str) -> None:
    """A key that is put together or kept elsewhere is none that a test or a translator finds."""
    text = (FOLDER / name).read_text("utf-8")
    calls = re.findall(r"(?<!function )\bt\((?!\")[^\n]{0,40}", text)
    assert not calls, f'{name}: t() is given its text itself, as in t("All of it"): {calls}'
    calls = re.findall(r"(?<!function )\bmany\(", text)
    assert len(calls) == len(FOUND[name].counted), f'{name}: many(count, "{{n}} job", "{{n}} jobs")'
    for key in FOUND[name].keys:
        assert key.text == key.text.strip(), f"{name}: {key}"
    for single, more in FOUND[name].counted:
        assert holes(single.text) - {"n"} == holes(more.text) - {"n"}, f"{name}: {single} {more}"


def test_a_language_that_has_a_file_can_be_chosen() -> None:
    there = {"en", *(path.stem for path in FILES)}
    listed = re.search(r"LANGUAGES = (\[.*\])", (FOLDER / "theme.js").read_text("utf-8"))
    assert listed
    assert set(json.loads(listed[1])) == there
    offered = re.findall(r'\["(\w\w)", "', (FOLDER / "screens/settings.js").read_text("utf-8"))
    assert set(offered) == there


CASES = {
    'html`<p title="Take it">${x}</p>`': ["Take it"],
    "html`<p>Nothing runs</p>`": ["Nothing runs"],
    'html`<p class="big ${a ? "very good" : ""}">${t("Nothing")}</p>`': [],
    'html`<p>${a === "dead" ? "gone" : t("here")}</p>`': ["gone"],
    'html`<${Card} title=${a ? "live" : t("day")} />`': ["live"],
    "html`<b>${all.map((one) => html`<i>${one} of them</i>`)}</b>`": ["\0 of them"],
    "say(`Press once more, ${name}.`)": ["Press once more, \0."],
    'act("POST", path, undefined, "Cancelled.")': ["Cancelled."],
    '// a comment of "many words"\nconst a = /"quoted words"/.test(b) ? 1 : 2;': [],
}


@pytest.mark.parametrize("source", CASES)
def test_a_text_without_a_language_is_found_in_code(source: str) -> None:
    assert [one.text for one in page_words.read(source).bare] == CASES[source]


def test_a_key_is_found_in_code() -> None:
    found = page_words.read(
        'html`<p title=${t("Say \\"it\\"")}>'
        '${many(f(a, "b"), "{n} job", "{n} jobs", { x: t("y") })}</p>`'
    )
    assert [one.text for one in found.keys] == ['Say "it"', "y"]
    assert [(one.text, more.text) for one, more in found.counted] == [("{n} job", "{n} jobs")]
