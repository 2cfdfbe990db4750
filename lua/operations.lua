#!lua flags=no-writes
-- operations 1: show the operations of a queue, each as one line of JSON.
--
-- Its `status` is counting, running, finished, stopped or refused, which is: there were not as many
-- jobs as expected. `looked_at` of about `total` jobs it has come past; of these `done` or `counted`
-- were asked for, and `skipped` were not.
--
-- KEYS  operations settings
-- ARGV
--   id  name?  1..128  which; empty: all, in no order
-- REPLIES
--   OPERATIONS  now_ms:integer, then for each operation, in any order, one of:
--     OPERATION  id:text operation:bytes   one line of JSON
-- ERRORS  BAD_ARGUMENT BAD_KEYS UPGRADE
-- COST    O(n), n = operations kept
-- USES    name bad_argument add_item clock

-- bound by `make lua` from the header above; edit the header instead
local LEVEL = 1
local WIDTH = 3
local key_base, queue = string.match(KEYS[1] or "", "^([^{}]+1:{(%w[%w_.-]*)}:)operations$")
if not key_base or #queue > 128 or #KEYS ~= 2
  or table.concat(KEYS, ",") ~= key_base .. "operations," .. key_base .. "settings"
then
  return { "BAD_KEYS", "operations takes these keys of one queue, in this order: operations "
    .. "settings" }
end
local operations, settings = unpack(KEYS)
local ARGV = ARGV
-- parts: name bad_argument add_item clock
if #ARGV ~= 1 then
  return { "BAD_ARGUMENT", "operations takes 1 argument, not " .. #ARGV }
end
local id = ARGV[1] ~= "" and name(ARGV[1], 1, 128)
if id == nil then
  return bad_argument("id",
    "1..128 letters, digits or _ . - and first a letter or digit, or empty", ARGV[1])
end
local in_force = { needs = redis.call("HGET", settings, "needs") }
if tonumber(in_force.needs or 1) > LEVEL then
  return { "UPGRADE", ("queue %s needs level %s, this script is %d"):format(
    queue, in_force.needs, LEVEL) }
end
-- end of bound

local now_ms = clock()
local reply = { "OPERATIONS", now_ms }
local every
if id then
  every = { id, redis.call("HGET", operations, id) or nil }
else
  every = redis.call("HGETALL", operations)
end
for i = 2, #every, 2 do add_item(reply, WIDTH, { "OPERATION", every[i - 1], every[i] }) end
return reply
