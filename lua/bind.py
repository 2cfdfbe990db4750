"""Writes the bound block: the lines of a script that check KEYS and ARGV and give them names."""

import re
from collections.abc import Iterator

from contract import LEVEL, MOST_BYTES, Argument, Script, Tables
from header import BOUND_FIRST, BOUND_LAST
from lua_text import WIDTH, refusal, wrapped
from rows import OPTIONS

PARTS_LINE = "-- parts: "
"""The line at which the linker puts the text of the parts."""

_CHECKERS = {
    OPTIONS: OPTIONS,
    "integer": "integer",
    "number": "number",
    "name": "name",
    "type": "kind",
    "text": "text",
}
_RULES = {
    "integer": "an integer {range}",
    "number": "a number {range}",
    "name": "{range} letters, digits or _ . - and first a letter or digit",
    "type": "{range} letters, digits or _ . : - and first a letter or digit",
    "text": "a text of {range} bytes, none of them a control byte",
    "bytes": "{range} bytes long",
}


def needed_parts(script: Script) -> list[str]:
    """Return the parts that the bound block calls."""
    arguments = [*script.arguments, *(script.each.fields if script.each else ())]
    checkers = sorted({_CHECKERS[item.type] for item in arguments if item.type in _CHECKERS})
    return ["bad_argument", *checkers] if arguments else []


def bound_block(script: Script, ordered: tuple[str, ...], tables: Tables) -> str:
    """Return the block, from its first to its last line."""
    lines = [BOUND_FIRST, f"local LEVEL = {LEVEL}"]
    if re.search(r"\bWIDTH\b", script.body):
        lines.append(f"local WIDTH = {max(reply.width for reply in script.replies)}")
    lines += _keys(script)
    if script.arguments or script.each:
        # A local: a global is looked up by name each time, which shows in the loop over items.
        lines.append("local ARGV = ARGV")
    if ordered:
        lines += wrapped(f"{PARTS_LINE}{' '.join(ordered)}", "--   ")
    lines += _count(script)
    for index, argument in enumerate(script.arguments, 1):
        take = _options if argument.options else _argument
        lines += take(argument, f"ARGV[{index}]")
    if script.each:
        lines += _items(script)
    return "\n".join([*lines, *_settings(script, tables), BOUND_LAST])


def _keys(script: Script) -> Iterator[str]:
    first, last = script.keys[0], script.keys[-1]
    pattern = f'"^([^{{}}]+1:{{(%w[%w_.-]*)}}:){first}$"'
    yield f'local key_base, queue = string.match(KEYS[1] or "", {pattern})'
    yield f"if not key_base or #queue > 128 or #KEYS ~= {len(script.keys)}"
    # As one text, since a comparison for each key costs twice as much; no line ends inside a piece.
    pieces = [f'key_base~..~"{key}{"" if key == last else ","}"' for key in script.keys]
    for line in wrapped(f'  or table.concat(KEYS, ",") ~= {" ..~".join(pieces)}'):
        yield line.replace("~.", " .").replace(".~", ". ")
    yield "then"
    order = f"in this order: {' '.join(script.keys)}"
    yield from refusal("BAD_KEYS", f"{script.name} takes these keys of one queue, {order}")
    yield "end"
    yield from wrapped(f"local {', '.join(script.keys)} = unpack(KEYS)")


def _count(script: Script) -> Iterator[str]:
    fixed = len(script.arguments)
    each = script.each
    takes = f"{fixed} argument{'s' * (fixed != 1)}"
    if not each:
        yield f"if #ARGV ~= {fixed} then"
    else:
        per_item = len(each.fields)
        given = f"#ARGV - {fixed}" if fixed else "#ARGV"
        if per_item > 1:
            given = f"({given}) / {per_item}" if fixed else f"{given} / {per_item}"
        whole = " or count % 1 ~= 0" if per_item > 1 else ""
        yield f"local count = {given}"
        yield f"if count < {each.least} or count > {each.most}{whole} then"
        first = f"{takes} and then {per_item}" if fixed else f"{per_item} arguments"
        takes = f"{first} for each of {each.least}..{each.most} items"
    sentence = f"{script.name} takes {takes}, not "
    yield from refusal("BAD_ARGUMENT", sentence, " .. #ARGV")
    yield "end"


def _argument(argument: Argument, source: str) -> Iterator[str]:
    name = argument.name
    value = _checked(argument, source)
    yield f"local {name} = {value}"
    yield from wrapped(f"if {_is_bad(argument, name)} then")
    yield from _bad_argument(f'"{name}"', argument, source)
    yield "end"


def _options(argument: Argument, source: str) -> Iterator[str]:
    names = ", ".join(option.name for option in argument.options)
    yield from wrapped(f"local {names}")
    yield f'if {source} ~= "" then'
    yield f"  local chosen, refused = {OPTIONS}({source}, {{"
    for option in argument.options:
        kind, limits = _RULES[option.type].split(" {")[0], option.range
        assert limits
        yield f'    {option.name} = {{ "{kind}", {limits.low}, {limits.high} }},'
    yield "  })"
    yield "  if not chosen then return refused end"
    for option in argument.options:
        yield f"  {option.name} = chosen.{option.name}"
    yield "end"


def _items(script: Script) -> Iterator[str]:
    assert script.each
    fields = script.each.fields
    names = ", ".join(field.name for field in fields)
    # With room for one: a table that grows is made anew.
    yield from wrapped(f"local {names} = {', '.join('{ nil }' for _ in fields)}")
    if script.each.sized:
        yield "local total_bytes = 0"
    yield "for nth = 1, count do"
    offset = len(script.arguments) - len(fields)
    shift = f" {'-' if offset < 0 else '+'} {abs(offset)}" if offset else ""
    yield f"  local at = {f'{len(fields)} * ' if len(fields) > 1 else ''}nth{shift}"
    for index, field in enumerate(fields, 1):
        yield f"  {'local ' * (index == 1)}given = ARGV[at + {index}]"
        for line in _column(field, index):
            yield f"  {line}"
        if field.type == "bytes":
            yield "  total_bytes = total_bytes + #given"
    yield "end"
    if script.each.sized:
        yield f"if total_bytes > {MOST_BYTES} then"
        sentence = f"{script.name} takes at most {MOST_BYTES} bytes in one call, not "
        yield from refusal("TOO_LARGE", sentence, " .. total_bytes")
        yield "end"


def _column(field: Argument, index: int) -> Iterator[str]:
    column = f"{field.name}[nth]"
    is_kept = field.range and field.type not in {"integer", "number"}
    if is_kept:
        yield from wrapped(f"if {_is_no(field, index)} then")
    else:
        yield from wrapped(f"{column} = {_checked(field, 'given')}")
        yield from wrapped(f"if {_is_bad(field, column)} then")
    yield from _bad_argument(f'("item %d: {field.name}"):format(nth)', field, "given")
    yield "end"
    if is_kept:
        kept = 'given ~= "" and given' if field.optional else "given"
        yield f"{column} = {kept}"


def _is_no(field: Argument, index: int) -> str:
    """Return the condition under which a value that is kept as it is breaks its rule."""
    assert field.range
    low, high = field.range.low, field.range.high
    if field.type == "bytes":
        # Inline, since a call for each payload and result costs more than the comparison.
        breaks = f"{f'#given < {low} or ' if int(low) else ''}#given > {high}"
        return f'given ~= "" and ({breaks})' if field.optional else breaks
    breaks = f"not {_CHECKERS[field.type]}(given, {low}, {high})"
    if field.optional:
        return f'given ~= "" and {breaks}'
    # Tokens and types come in runs: one like that of the item before needs no second look.
    is_run = index > 1 and field.type in {"name", "type"}
    return f"given ~= {field.name}[nth - 1] and {breaks}" if is_run else breaks


def _checked(argument: Argument, source: str) -> str:
    value = source
    if argument.type == "bytes" and argument.range:
        low, high = argument.range.low, argument.range.high
        at_least = f"#{source} >= {low} and " if int(low) else ""
        value = f"{at_least}#{source} <= {high} and {source} or nil"
        value = f"({value})" if argument.optional else value
    elif argument.range:
        limits = f"{argument.range.low}, {argument.range.high}"
        value = f"{_CHECKERS[argument.type]}({source}, {limits})"
    return f'{source} ~= "" and {value}' if argument.optional else value


def _is_bad(argument: Argument, name: str) -> str:
    if argument.range:
        return f"{name} == nil"
    others = " and ".join(f'{name} ~= "{choice}"' for choice in argument.choices)
    return f"{name} and {others}" if argument.optional else others


def _bad_argument(what: str, argument: Argument, source: str) -> Iterator[str]:
    if argument.range:
        rule = _RULES[argument.type].format(range=argument.range)
    else:
        rule = f"one of {', '.join(argument.choices)}"
    if argument.optional:
        rule += ", or empty"
    line = f'  return bad_argument({what}, "{rule}", {source})'
    if len(line) <= WIDTH - 2:
        yield line
    else:
        yield f"  return bad_argument({what},"
        yield f'    "{rule}", {source})'


def _settings(script: Script, tables: Tables) -> Iterator[str]:
    if script.settings:
        # Most queues set few or none: to be told those is cheaper than to ask for each by name.
        yield 'local in_force = redis.call("HGETALL", settings)'
        yield "for i = 1, #in_force, 2 do in_force[in_force[i]] = in_force[i + 1] end"
    else:
        yield 'local in_force = { needs = redis.call("HGET", settings, "needs") }'
    yield "if tonumber(in_force.needs or 1) > LEVEL then"
    yield '  return { "UPGRADE", ("queue %s needs level %s, this script is %d"):format('
    yield "    queue, in_force.needs, LEVEL) }"
    yield "end"
    for name in script.settings:
        value = f"in_force.{name} or {tables.settings[name].literal}"
        # Arithmetic makes a number of what is set, and takes a tenth of a call of tonumber.
        is_text = tables.settings[name].type == "text"
        yield f"local {name} = {value}" if is_text else f"local {name} = ({value}) + 0"
