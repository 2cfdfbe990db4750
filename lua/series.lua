#!lua flags=no-writes
-- series 1: tell what happened in each of the last minutes.
--
-- A minute in which no job moved has no entry. What a minute counts is the difference of the totals at its
-- beginning and at that of the next, or now; `queued` and the age of the oldest are as it began.
--
-- KEYS  series stats settings
-- ARGV
--   minutes  integer  1..1440  how many, with the present one
-- REPLIES
--   SERIES  now_ms:integer, then for each minute, the oldest first, one of:
--     MINUTE  at_ms:integer queued:integer oldest_queued_ms:integer enqueued:integer completed:integer
--             failed:integer lost:integer died:integer cancelled:integer replayed:integer
--             purged:integer   what happened from then on
-- ERRORS  BAD_ARGUMENT BAD_KEYS UPGRADE
-- COST    O(n), n = minutes asked for
-- USES    integer bad_argument clock minute_of

-- bound by `make lua` from the header above; edit the header instead
local LEVEL = 1
local WIDTH = 12
local key_base, queue = string.match(KEYS[1] or "", "^([^{}]+1:{(%w[%w_.-]*)}:)series$")
if not key_base or #queue > 128 or #KEYS ~= 3
  or table.concat(KEYS, ",") ~= key_base .. "series," .. key_base .. "stats,"
  .. key_base .. "settings"
then
  return { "BAD_KEYS", "series takes these keys of one queue, in this order: series stats "
    .. "settings" }
end
local series, stats, settings = unpack(KEYS)
local ARGV = ARGV
-- parts: integer bad_argument clock minute_of
if #ARGV ~= 1 then
  return { "BAD_ARGUMENT", "series takes 1 argument, not " .. #ARGV }
end
local minutes = integer(ARGV[1], 1, 1440)
if minutes == nil then
  return bad_argument("minutes", "an integer 1..1440", ARGV[1])
end
local in_force = { needs = redis.call("HGET", settings, "needs") }
if tonumber(in_force.needs or 1) > LEVEL then
  return { "UPGRADE", ("queue %s needs level %s, this script is %d"):format(
    queue, in_force.needs, LEVEL) }
end
-- end of bound

local now_ms, now = clock()
local present = math.floor(now / 30720000)
local found = {}
for start = present - minutes + 1, present, 480 do
  local slots = {}
  for minute = start, math.min(start + 479, present) do slots[#slots + 1] = minute % 1440 end
  for i, line in ipairs(redis.call("HMGET", series, unpack(slots))) do
    local numbers = line and minute_of(line)
    if numbers and numbers[1] == start + i - 1 then found[#found + 1] = numbers end
  end
end
local totals = redis.call("HMGET", stats, "enqueued", "completed", "failed", "lost", "died",
  "cancelled", "replayed", "purged")
local after = { 0, 0, 0 }
for i = 1, 8 do after[i + 3] = tonumber(totals[i] or 0) or 0 end

local items = {}
for nth = #found, 1, -1 do
  local numbers = found[nth]
  local item = { "MINUTE", 1735689600000 + numbers[1] * 60000, numbers[2], numbers[3] }
  for i = 4, 11 do item[i + 1] = math.max(0, after[i] - numbers[i]) end
  items[nth], after = item, numbers
end
local reply = { "SERIES", now_ms }
for nth, item in ipairs(items) do
  local at = 2 + (nth - 1) * WIDTH
  for i = 1, WIDTH do reply[at + i] = item[i] end
end
return reply
