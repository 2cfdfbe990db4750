#!lua flags=no-writes
-- recall 1: tell which claims are remembered, without claiming.
--
-- Who claims from several queues in turn under one token, and repeats that because the answer was lost,
-- asks here first which of them gave him jobs: to the others the repeat would be a new claim.
--
-- KEYS  claims settings
-- EACH  1..100
--   token  name  1..64  names a claim
-- REPLIES
--   RECALLED  now_ms:integer, then for each token, in order, one of:
--     KNOWN    a claim under it leased jobs here, whatever has become of them
--     UNKNOWN  no such claim is remembered
-- ERRORS  BAD_ARGUMENT BAD_KEYS UPGRADE
-- COST    O(n), n = tokens given
-- USES    name bad_argument add_item clock

-- bound by `make lua` from the header above; edit the header instead
local LEVEL = 1
local WIDTH = 1
local key_base, queue = string.match(KEYS[1] or "", "^([^{}]+1:{(%w[%w_.-]*)}:)claims$")
if not key_base or #queue > 128 or #KEYS ~= 2
  or table.concat(KEYS, ",") ~= key_base .. "claims," .. key_base .. "settings"
then
  return { "BAD_KEYS", "recall takes these keys of one queue, in this order: claims settings" }
end
local claims, settings = unpack(KEYS)
local ARGV = ARGV
-- parts: name bad_argument add_item clock
local count = #ARGV
if count < 1 or count > 100 then
  return { "BAD_ARGUMENT", "recall takes 1 arguments for each of 1..100 items, not " .. #ARGV }
end
local token = { nil }
for nth = 1, count do
  local at = nth - 1
  local given = ARGV[at + 1]
  if not name(given, 1, 64) then
    return bad_argument(("item %d: token"):format(nth),
      "1..64 letters, digits or _ . - and first a letter or digit", given)
  end
  token[nth] = given
end
local in_force = { needs = redis.call("HGET", settings, "needs") }
if tonumber(in_force.needs or 1) > LEVEL then
  return { "UPGRADE", ("queue %s needs level %s, this script is %d"):format(
    queue, in_force.needs, LEVEL) }
end
-- end of bound

local now_ms = clock()
local reply = { "RECALLED", now_ms }
for _, leased in ipairs(redis.call("HMGET", claims, unpack(token))) do
  add_item(reply, WIDTH, { leased and "KNOWN" or "UNKNOWN" })
end
return reply
