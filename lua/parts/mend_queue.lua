-- mend_queue: mend the totals, operations, series, events and bell of a queue, by what else judge_queue tells.
-- KEYS  stats bell operations series events
-- USES  ring
local function mend_queue(totals, names, need, gone, broken, keep_events)
  for _, total in ipairs(names) do
    local stored = total ~= "stamp" and redis.call("HGET", stats, total)
    local least = math.max(totals[total] or 0, need[total] or 0)
    if stored and not totals[total] or (totals[total] or 0) < least then
      totals[total] = least
      redis.call("HSET", stats, total, ("%.0f"):format(least))
    end
  end
  if gone > 0 then
    redis.call("HSET", stats, "missing", ("%.0f"):format((totals.missing or 0) + gone))
  end
  if #broken.operations > 0 then redis.call("HDEL", operations, unpack(broken.operations)) end
  if #broken.series > 0 then redis.call("HDEL", series, unpack(broken.series)) end
  if #broken.events > 0 then redis.call("XDEL", events, unpack(broken.events)) end
  if keep_events == 0 then redis.call("DEL", events) end
  if redis.call("LLEN", bell) > 1 then
    redis.call("DEL", bell)
    ring()
  end
end
