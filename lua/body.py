"""What the Lua of a body or of a part may not do; read from its tokens."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from contract import Part, Place, Tables
from lexer import EVERY, Token, at, is_default

_KEYLESS = {"TIME"}
# Whatever is not listed here is taken for a write.
_READS = {
    "EXISTS", "HEXISTS", "HGET", "HGETALL", "HKEYS", "HLEN", "HMGET", "HSTRLEN", "HVALS", "LINDEX",
    "LLEN", "LRANGE", "TIME", "TYPE", "ZCARD", "ZCOUNT", "ZMSCORE", "ZRANGE", "ZRANGEBYSCORE",
    "XLEN", "XRANGE", "XREVRANGE",
    "ZRANK", "ZREVRANGE", "ZREVRANGEBYSCORE", "ZREVRANK", "ZSCORE",
}  # fmt: skip
_KEYS_ALONE = {"DEL", "EXISTS", "UNLINK"}
_FORBIDDEN = {
    **dict.fromkeys(("KEYS", "SCAN", "RANDOMKEY"), "it walks the whole server"),
    **dict.fromkeys(("EVAL", "EVALSHA", "FCALL"), "a script calls no script"),
    **dict.fromkeys(("EVAL_RO", "EVALSHA_RO", "FCALL_RO"), "a script calls no script"),
    **dict.fromkeys(("FLUSHALL", "FLUSHDB", "SWAPDB"), "it touches other queues"),
    **dict.fromkeys(("EXPIRE", "EXPIREAT", "PEXPIRE", "PEXPIREAT"), "live data never expires"),
    **dict.fromkeys(("RENAME", "RENAMENX", "COPY", "MOVE", "SORT"), "its keys cannot be checked"),
    **dict.fromkeys(("LMOVE", "RPOPLPUSH", "ZRANGESTORE"), "its keys cannot be checked"),
    **dict.fromkeys(("ZUNIONSTORE", "ZINTERSTORE", "ZDIFFSTORE"), "its keys cannot be checked"),
}
_CHOICE = ["and", "or"]

SET = "set"
"""The name of a key that is chosen at run time: a part's parameter, or what SET_OF returned."""

SET_OF = "set_of"
"""The one part that may return a key."""


@dataclass(frozen=True, slots=True)
class Scope:
    """Where tokens stand: the file, the keys bound there, and the parts that may be called."""

    file: str
    keys: frozenset[str]
    uses: tuple[str, ...]
    parts: Mapping[str, Part]
    tables: Tables

    def place(self, token: Token) -> Place:
        """Return the place of a token."""
        return Place(self.file, token.line)


def check_body(sequence: list[Token], scope: Scope) -> bool:
    """Refuse what a body may not do; tell whether it writes."""
    if any(_is_from_set_of(sequence, index) for index in range(len(sequence))):
        scope = replace(scope, keys=scope.keys | {SET})
    writes = False
    for index, token in enumerate(sequence):
        if token.kind == "name" and at(sequence, index - 1) not in {".", ":"}:
            writes |= _check_name(sequence, index, scope)
    return writes


def _check_name(sequence: list[Token], index: int, scope: Scope) -> bool:
    token = sequence[index]
    if token.text == "redis":
        command = _command(sequence, index, scope)
        _check_keys(command, sequence, index, scope)
        return bool(command) and command not in _READS
    if token.text == "math" and at(sequence, index + 2).startswith("random"):
        raise scope.place(token).error(
            "expected no math.random: its series is the same after each start of a server"
        )
    if is_default(sequence, index):
        _check_default(sequence, index, scope)
    elif token.text in scope.parts:
        _check_part_call(sequence, index, scope)
    elif token.text in scope.keys:
        _check_not_rebound(sequence, index, scope)
    return False


def _command(sequence: list[Token], index: int, scope: Scope) -> str:
    """Return the command of the redis.call that starts here; the empty text for other functions."""
    place = scope.place(sequence[index])
    if at(sequence, index + 1) != ".":
        raise place.error("expected redis.<function>, so that keys can be checked")
    called = f"redis.{at(sequence, index + 2)}"
    if called not in {"redis.call", "redis.pcall"}:
        return ""
    if at(sequence, index + 3) != "(":
        raise place.error(f"expected {called}(...) called in place, so that its key can be checked")
    given = sequence[index + 4 : index + 5]
    if not given or given[0].kind != "string" or at(sequence, index + 5) not in {",", ")"}:
        raise place.error(f"expected a literal command as the first argument of {called}")
    command = given[0].text[1:-1].upper()
    if command in _FORBIDDEN:
        raise place.error(f"expected no {command}: {_FORBIDDEN[command]}")
    return command


def _check_keys(command: str, sequence: list[Token], index: int, scope: Scope) -> None:
    if not command or command in _KEYLESS:
        return
    arguments = arguments_of(sequence, index + 3)[1:] or ["nothing"]
    for key in arguments if command in _KEYS_ALONE else arguments[:1]:
        if not _is_key(key, scope):
            bound = " ".join(sorted(scope.keys)) or "none"
            raise scope.place(sequence[index]).error(
                f"expected a bound key behind '{command}', found '{key}'; bound here: {bound}"
            )


def _is_key(argument: str, scope: Scope) -> bool:
    # `<condition> and one or other` is one of two keys, because a key is true.
    words = argument.split(" ")
    if words[-4::2] == _CHOICE and "or" not in words[:-4]:
        return {words[-3], words[-1]} <= scope.keys
    return argument in scope.keys


def arguments_of(sequence: list[Token], opening: int) -> list[str]:
    """Return the text of each argument of a call; `opening` is the index of its parenthesis."""
    found: list[list[str]] = [[]]
    depth = 0
    for token in sequence[opening:]:
        depth -= token.text in {")", "}", "]"}
        if depth == 0 and token.text == ")":
            break
        if token.text == "," and depth == 1:
            found.append([])
        elif depth:
            found[-1].append(token.text)
        depth += token.text in {"(", "{", "["}
    return [" ".join(words) for words in found] if found != [[]] else []


def _check_default(sequence: list[Token], index: int, scope: Scope) -> None:
    name = at(sequence, index + 2)
    if name not in scope.tables.settings and name != EVERY:
        raise scope.place(sequence[index]).error(
            f"expected default.<setting> with a setting of settings.txt, found '{name}'"
        )


def _check_part_call(sequence: list[Token], index: int, scope: Scope) -> None:
    name = sequence[index].text
    parameters = scope.parts[name].parameters
    place = scope.place(sequence[index])
    called = at(sequence, index + 1) == "("
    if at(sequence, index - 1) == "function":
        return
    if called and name not in scope.uses:
        raise place.error(f"expected USES to list '{name}', which is called here")
    if name not in scope.uses or SET not in parameters:
        return
    if not called:
        raise place.error(f"expected a call of {name}, so that its key can be checked")
    position = parameters.index(SET)
    given = [*arguments_of(sequence, index + 1), *["nothing"] * len(parameters)][position]
    if not _is_key(given, scope):
        raise place.error(
            f"expected a bound key as argument {position + 1} of {name}, found '{given}'"
        )


def _check_not_rebound(sequence: list[Token], index: int, scope: Scope) -> None:
    before = index - 1
    while at(sequence, before) == "," and sequence[before - 1].kind == "name":
        before -= 2
    declared = at(sequence, before) in {"local", "for"} or _is_parameter(sequence, before, index)
    # In a table { jobs = 1 } the name is a field; elsewhere it would hide the key from our checks.
    assigned = at(sequence, index + 1) == "=" and not _is_in_table(sequence, index)
    if (declared or assigned) and not _is_from_set_of(sequence, index):
        raise scope.place(sequence[index]).error(
            f"expected '{sequence[index].text}' to stay the key that it is bound to"
        )


def _is_parameter(sequence: list[Token], opening: int, index: int) -> bool:
    if at(sequence, opening) != "(":
        return False
    named = "function" in {at(sequence, opening - 1), at(sequence, opening - 2)}
    # A part's own parameter `set` is the key itself.
    return named and not (
        sequence[index].text == SET and opening < len(["local", "function", "f", "("])
    )


def _is_from_set_of(sequence: list[Token], index: int) -> bool:
    texts = [token.text for token in sequence[max(index - 1, 0) : index + 4]]
    return texts == ["local", SET, "=", SET_OF, "("]


def _is_in_table(sequence: list[Token], index: int) -> bool:
    depth = 0
    for token in reversed(sequence[:index]):
        depth += (token.text == "}") - (token.text == "{")
        if depth < 0:
            return True
    return False
