"""A small lua/ folder that the compiler takes: what tests of the compiler change and break."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from compile import main

Settle = Callable[..., list[Any]]
"""Runs the sample's settle with these arguments; `keys` and `source` may be others."""

KEYS = """\
# part  type  meaning
jobs      hash  id -> record
done      zset  id, by the time until which it is kept
dead      zset  id, by the time until which it is kept
settings  hash  what is set
"""

SETTINGS = """\
# name  type  range  default  meaning
needs    integer  1..1000000  1    the least LEVEL
keep     integer  0..1000     10   how many are kept
factor   number   1..1000     2.5  by what it grows
reason   text     0..200      -    why
"""

SETTLE = """\
#!lua flags=allow-oom
-- settle 1: finish jobs for good.
--
-- What it guarantees,
-- in two lines.
--
-- KEYS  jobs done dead
--       settings
-- ARGV
--   lease_ms  integer   1000..86400000  how long the lease lasts
--   share     number?   0..1            empty: none
--   state     word      done|dead       which set,
--                                       in words
-- EACH  1..3
--   id      name   1..8   the job
--   kind_of type?  1..8   what it is
--   note    text   0..9   for people
--   result  bytes  0..20  what came of it
--   weight  number 0..9   how heavy it was
-- SETTINGS  keep factor reason
-- REPLIES
--   SETTLED  now_ms:integer, then for each job,
--            in order, one of:
--     DONE     it ended now
--     LATER    at_ms:integer share:number  it ends then
--   NOTHING  keep:integer factor:number reason:text result:bytes   nothing was asked for
--   QUIET
-- ERRORS  BAD_ARGUMENT BAD_KEYS TOO_LARGE UPGRADE
-- COST    O(n), n = jobs given
-- USES    integer forget trim set_of

-- A comment of the body.
local url = "-- no comment -- " .. default.reason
local set = set_of(state)
if note[1] == "now" then
  return { "SETTLED", redis.call("ZCARD", set), "DONE", "", "", "LATER", 2, tostring(share or 0) }
end
local chosen = { jobs = 1 }
redis.call("ZADD", state == "dead" and dead or done, default.keep, id[1]) -- and one behind code
trim(set, chosen.jobs)
return { "NOTHING", keep, tostring(factor), reason .. url, result[1] .. weight[1] }
"""

LOOK = """\
#!lua flags=no-writes
-- look 3: look at jobs.
--
-- KEYS  jobs settings
-- REPLIES
--   SEEN  jobs:integer   how many there are
--   EMPTY  nothing is there
-- ERRORS  BAD_ARGUMENT BAD_KEYS UPGRADE
-- COST    O(1)

return { "SEEN", redis.call("HLEN", jobs) }
"""

PARTS = {
    "bad_argument": """\
-- bad_argument: the refusal of a value.
local function bad_argument(what, rule, value)
  return { "BAD_ARGUMENT", what .. " must be " .. rule .. ", not " .. value }
end
""",
    "integer": """\
-- integer: the whole number, or nil.
local function integer(value, least, most)
  local number = value:find("^%d+$") and tonumber(value)
  if number and number >= least and number <= most then return number end
  return nil
end
""",
    "number": """\
-- number: the decimal number, or nil.
local function number(value, least, most)
  local decimal = value:find("^%d+%.?%d*$") and tonumber(value)
  if decimal and decimal >= least and decimal <= most then return decimal end
  return nil
end
""",
    "kind": """\
-- kind: the value if it may be a type, else nil.
-- USES  bytes
local function kind(value, least, most)
  return value:find("^%w[%w_.:-]*$") and bytes(value, least, most) or nil
end
""",
    "forget": """\
-- forget: let go of a job.
-- KEYS  jobs
local function forget(id)
  redis.call("HDEL", jobs, id)
end
""",
    "trim": """\
-- trim: forget what is too much.
-- More about it.
-- KEYS  settings
-- USES  forget
local function trim(set, keep)
  redis.call("HLEN", settings)
  for _, id in ipairs(redis.call("ZRANGE", set, 0, -1 - keep)) do forget(id) end
end
""",
    "set_of": """\
-- set_of: the key that is named like a state.
-- KEYS  done dead
local function set_of(state)
  return ({ done = done, dead = dead })[state]
end
""",
}
for _name, _test in {
    "name": 'value:find("^%w[%w_.-]*$")',
    "text": 'not value:find("%c")',
    "bytes": "value",
}.items():
    PARTS[_name] = f"""\
-- {_name}: the value if it may be one, else nil.
local function {_name}(value, least, most)
  if {_test} and #value >= least and #value <= most then return value end
  return nil
end
"""

FILES = {
    "keys.txt": KEYS,
    "settings.txt": SETTINGS,
    "settle.lua": SETTLE,
    "look.lua": LOOK,
    **{f"parts/{name}.lua": text for name, text in PARTS.items()},
}


def write_sample(root: Path, **changed: str) -> Path:
    """Write root/lua, some files changed (`parts__trim="..."` is parts/trim.lua); returns it."""
    lua = root / "lua"
    (lua / "parts").mkdir(parents=True, exist_ok=True)
    for name, text in FILES.items():
        (lua / name).write_text(text, encoding="utf-8")
    for name, text in changed.items():
        (lua / f"{name.replace('__', '/')}.lua").write_text(text, encoding="utf-8")
    return lua


def compile_sample(root: Path, **changed: str) -> Path:
    """Write and compile the sample below root; returns root."""
    lua = write_sample(root, **changed)
    assert main(["--lua", str(lua), "--root", str(root)]) == 0
    return root


def sources(root: Path) -> dict[str, str]:
    """Return what a server is sent of each script compiled below root."""
    manifest = json.loads((root / "boltq" / "manifest.json").read_text(encoding="utf-8"))
    return {name: entry["source"] for name, entry in manifest["scripts"].items()}


def changed_settle(old: str, new: str) -> str:
    assert SETTLE.count(old) == 1
    return SETTLE.replace(old, new)


def settle_on(client: Any, queue: str, settle: str) -> Settle:
    base = f"boltq1:{{{queue}}}:"
    own_keys = [base + part for part in ("jobs", "done", "dead", "settings")]

    def run(*argv: Any, keys: list[str] = own_keys, source: str = settle) -> Any:
        return client.eval(source, len(keys), *keys, *argv)

    return run
