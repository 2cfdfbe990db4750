-- note_minute: note how the queue is, before the first stamp of a minute is taken.
-- What happens in a minute is the difference of two such totals, so that no job costs anything for it.
-- KEYS  stats series queued
-- USES  oldest_queued
-- RARE  few calls do it
local function note_minute(last, minute)
  local totals = redis.call("HMGET", stats, "enqueued", "completed", "failed", "lost", "died",
    "cancelled", "replayed", "purged")
  for i = 1, 8 do totals[i] = totals[i] or "0" end
  local age_ms = math.max(0, math.floor((last - oldest_queued()) / 512))
  redis.call("HSET", series, ("%d"):format(minute % 1440), ("%d %d %.0f "):format(
    minute, redis.call("ZCARD", queued), age_ms) .. table.concat(totals, " "))
end
