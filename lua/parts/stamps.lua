-- stamps: take `count` numbers of the sequence that is also a clock; returns the first of them.
-- It never runs back, not even when the clock or a failover does.
-- KEYS  stats
local function stamps(now, count)
  local first = math.max(tonumber(redis.call("HGET", stats, "stamp") or 0) + 1, now - 511)
  redis.call("HSET", stats, "stamp", ("%.0f"):format(first + count - 1))
  return first
end
