#!lua flags=no-writes
-- stats 1: count a queue's jobs by state, and tell what it waits for.
--
-- It costs the same with a million jobs as with ten.
--
-- KEYS  queued scheduled retrying running completed cancelled dead stats settings
-- SETTINGS  paused pause_reason paused_by paused_at_ms
-- REPLIES
--   STATS  now_ms:integer scheduled:integer queued:integer running:integer retrying:integer
--          completed:integer cancelled:integer dead:integer oldest_queued_ms:integer
--          next_due_ms:integer lapsed:integer paused:integer pause_reason:text paused_by:text
--          paused_at_ms:integer enqueued_total:integer completed_total:integer failed_total:integer
--          lost_total:integer died_total:integer cancelled_total:integer replayed_total:integer
--          purged_total:integer trimmed_total:integer dead_trimmed_total:integer
--          missing_total:integer   the age of the oldest queued job in ms, when the first delayed
--          one is due (0: none), leases past their end, and totals since the queue exists
-- ERRORS  BAD_ARGUMENT BAD_KEYS UPGRADE
-- COST    O(log m), m = jobs of the queue
-- USES    clock time_ms head oldest_queued

-- bound by `make lua` from the header above; edit the header instead
local LEVEL = 1
local key_base, queue = string.match(KEYS[1] or "", "^([^{}]+1:{(%w[%w_.-]*)}:)queued$")
if not key_base or #queue > 128 or #KEYS ~= 9
  or table.concat(KEYS, ",") ~= key_base .. "queued," .. key_base .. "scheduled,"
  .. key_base .. "retrying," .. key_base .. "running," .. key_base .. "completed,"
  .. key_base .. "cancelled," .. key_base .. "dead," .. key_base .. "stats,"
  .. key_base .. "settings"
then
  return { "BAD_KEYS", "stats takes these keys of one queue, in this order: queued scheduled "
    .. "retrying running completed cancelled dead stats settings" }
end
local queued, scheduled, retrying, running, completed, cancelled, dead, stats, settings =
  unpack(KEYS)
-- parts: clock time_ms head oldest_queued
if #ARGV ~= 0 then
  return { "BAD_ARGUMENT", "stats takes 0 arguments, not " .. #ARGV }
end
local in_force = redis.call("HGETALL", settings)
for i = 1, #in_force, 2 do in_force[in_force[i]] = in_force[i + 1] end
if tonumber(in_force.needs or 1) > LEVEL then
  return { "UPGRADE", ("queue %s needs level %s, this script is %d"):format(
    queue, in_force.needs, LEVEL) }
end
local paused = (in_force.paused or 0) + 0
local pause_reason = in_force.pause_reason or ""
local paused_by = in_force.paused_by or ""
local paused_at_ms = (in_force.paused_at_ms or 0) + 0
-- end of bound

local now_ms, now = clock()
local oldest = oldest_queued()
local next_due = math.min(head(scheduled), head(retrying))
local total = redis.call("HMGET", stats, "enqueued", "completed", "failed", "lost", "died",
  "cancelled", "replayed", "purged", "trimmed", "dead_trimmed", "missing")
for i = 1, 11 do total[i] = tonumber(total[i] or 0) end

return { "STATS", now_ms, redis.call("ZCARD", scheduled), redis.call("ZCARD", queued),
  redis.call("ZCARD", running), redis.call("ZCARD", retrying), redis.call("ZCARD", completed),
  redis.call("ZCARD", cancelled), redis.call("ZCARD", dead),
  oldest < math.huge and math.max(0, now_ms - time_ms(oldest)) or 0,
  next_due < math.huge and time_ms(next_due) or 0, redis.call("ZCOUNT", running, "-inf", now),
  paused, pause_reason, paused_by, paused_at_ms, unpack(total) }
