-- next_stamp: the first free number of the sequence that is also a clock; it is not taken yet.
-- The sequence never runs back, not even when the clock or a failover does.
-- KEYS  stats
local function next_stamp(now)
  return math.max(tonumber(redis.call("HGET", stats, "stamp") or 0) + 1, now - 511)
end
