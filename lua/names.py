"""Refuses two meanings of one name in a script."""

from collections.abc import Iterator

from contract import Place, Script


def check_names(script: Script, ordered: tuple[str, ...]) -> None:
    """Refuse a key, argument or setting named as another, as a part, or as the bound block does."""
    own = ["LEVEL", "WIDTH", "key_base", "queue", "in_force", "chosen", "refused"]
    if script.each:
        own += ["count", "nth", "at", "given"] + ["total_bytes"] * script.each.sized
    taken = dict.fromkeys(own, "a name of the bound block") | dict.fromkeys(ordered, "a part")
    for name, what, place in _names(script):
        if name in taken:
            raise place.error(f"expected another name: '{name}' is {taken[name]}")
        taken[name] = what


def _names(script: Script) -> Iterator[tuple[str, str, Place]]:
    for key in script.keys:
        yield key, "a key", script.places["KEYS"]
    arguments = [one for told in script.arguments for one in told.options or (told,)]
    for argument in (*arguments, *(script.each.fields if script.each else ())):
        yield argument.name, "an argument", argument.place
    for setting in script.settings:
        yield setting, "a setting", script.places["SETTINGS"]
