#!lua flags=allow-oom
-- stop 1: end an operation: it does nothing more; what it has done stays.
--
-- KEYS  operations settings
-- ARGV
--   id  name  1..128  the operation
-- REPLIES
--   STOPPED  now_ms:integer operation:bytes   ended now
--   ENDED    now_ms:integer operation:bytes   it had ended before
--   UNKNOWN  now_ms:integer                   no such operation is kept
-- ERRORS  BAD_ARGUMENT BAD_KEYS UPGRADE
-- COST    O(1)
-- USES    name bad_argument clock cursor_ok operation_line operation_of

-- bound by `make lua` from the header above; edit the header instead
local LEVEL = 1
local key_base, queue = string.match(KEYS[1] or "", "^([^{}]+1:{(%w[%w_.-]*)}:)operations$")
if not key_base or #queue > 128 or #KEYS ~= 2
  or table.concat(KEYS, ",") ~= key_base .. "operations," .. key_base .. "settings"
then
  return { "BAD_KEYS", "stop takes these keys of one queue, in this order: operations settings" }
end
local operations, settings = unpack(KEYS)
local ARGV = ARGV
-- parts: name bad_argument clock cursor_ok operation_line operation_of
if #ARGV ~= 1 then
  return { "BAD_ARGUMENT", "stop takes 1 argument, not " .. #ARGV }
end
local id = name(ARGV[1], 1, 128)
if id == nil then
  return bad_argument("id",
    "1..128 letters, digits or _ . - and first a letter or digit", ARGV[1])
end
local in_force = { needs = redis.call("HGET", settings, "needs") }
if tonumber(in_force.needs or 1) > LEVEL then
  return { "UPGRADE", ("queue %s needs level %s, this script is %d"):format(
    queue, in_force.needs, LEVEL) }
end
-- end of bound

local now_ms = clock()
local line = redis.call("HGET", operations, id)
local op = line and operation_of(id, line)
if not op then return { "UNKNOWN", now_ms } end
if op.ended_ms then return { "ENDED", now_ms, line } end
op.status, op.ended_ms = "stopped", now_ms
line = operation_line(op)
redis.call("HSET", operations, id, line)
return { "STOPPED", now_ms, line }
