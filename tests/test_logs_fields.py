"""What BoltQ logs, read from its sources: each event a fixed phrase, each field in the table."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import boltq
from boltq.fields import FIELDS

SOURCES = sorted(Path(boltq.__file__).parent.rglob("*.py"))
METHODS = {"debug", "info", "warning", "error", "exception", "critical", "log"}


def loggers(tree: ast.Module) -> set[str]:
    """The names in a module that are loggers."""
    return {
        target.id
        for node in ast.walk(tree)
        if isinstance(node, ast.Assign) and "getLogger" in ast.unparse(node.value)
        for target in node.targets
        if isinstance(target, ast.Name)
    }


def log_calls(tree: ast.Module) -> Iterator[ast.Call]:
    names = loggers(tree) | {"logging"}
    for node in ast.walk(tree):
        if (
            isinstance(node, ast.Call)
            and isinstance(node.func, ast.Attribute)
            and node.func.attr in METHODS
            and isinstance(node.func.value, ast.Name)
            and node.func.value.id in names
        ):
            yield node


def dict_keys(node: ast.AST) -> Iterator[str]:
    for part in ast.walk(node):
        if isinstance(part, ast.Dict):
            yield from (key.value for key in part.keys if isinstance(key, ast.Constant))


def field_names(tree: ast.Module, call: ast.Call) -> set[str]:
    """What a call gives as `extra`, also by way of a variable or a method of the module."""
    extra = next((each.value for each in call.keywords if each.arg == "extra"), None)
    if extra is None:
        return set()
    names = set(dict_keys(extra))
    used = {part.id for part in ast.walk(extra) if isinstance(part, ast.Name)}
    used |= {part.attr for part in ast.walk(extra) if isinstance(part, ast.Attribute)}
    for node in ast.walk(tree):
        targets = node.targets if isinstance(node, ast.Assign) else [getattr(node, "target", None)]
        for target in targets:
            if isinstance(target, ast.Subscript) and ast.unparse(target.value) in used:
                names.add(ast.literal_eval(target.slice))
            elif target is not None and ast.unparse(target).removeprefix("self.") in used:
                names |= set(dict_keys(node))
    return names


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: path.stem)
def test_each_event_is_a_fixed_phrase_and_each_field_is_known(path: Path) -> None:
    tree = ast.parse(path.read_text())
    for call in log_calls(tree):
        where = f"{path.name}:{call.lineno}"
        assert ast.unparse(call.func) != f"logging.{call.func.attr}", where  # type: ignore[attr-defined]
        (event,) = call.args[1:] if call.func.attr == "log" else call.args  # type: ignore[attr-defined]
        assert isinstance(event, ast.Constant), where
        assert re.fullmatch(r"[A-Za-z][A-Za-z ,:;'_-]{3,90}", event.value), where
        assert {each.arg for each in call.keywords} <= {"extra", "exc_info"}, where
        assert field_names(tree, call) <= set(FIELDS), where


def test_the_reader_of_sources_sees_what_is_wrong() -> None:
    tree = ast.parse(
        "_log = logging.getLogger(__name__)\n"
        "fields: dict[str, object] = {'job': 1, 'odd': 2}\n"
        "fields['more'] = 3\n"
        "_log.info('x %s', 1, extra={**fields, 'own': 4})\n"
    )
    (call,) = log_calls(tree)
    assert len(call.args) == 2
    assert field_names(tree, call) == {"job", "odd", "more", "own"}


def test_each_field_of_the_table_is_used() -> None:
    text = "\n".join(path.read_text() for path in SOURCES if path.name != "fields.py")
    assert {name for name in FIELDS if f'"{name}"' not in text} == set()
