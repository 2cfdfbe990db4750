-- next_stamp: the first free number of the sequence that is also a clock, not taken yet; and where it is the first
-- of its minute, that minute, in which keep_stamp will touch more than the stamp: its types are checked here.
-- The sequence never runs back, not even when the clock or a failover does. 30720000 stamps are a minute.
-- KEYS  stats series queued
local function next_stamp(now)
  local last = tonumber(redis.call("HGET", stats, "stamp") or 0)
  local first = math.max(last + 1, now - 511)
  if first - first % 30720000 <= last then return first end
  redis.call("HLEN", series)
  redis.call("ZCARD", queued)
  return first, math.floor(first / 30720000)
end
