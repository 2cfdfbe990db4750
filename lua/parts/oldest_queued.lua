-- oldest_queued: the stamp of the job that has been queued for longest, or infinity: a look at each priority.
-- KEYS  queued
local function oldest_queued()
  local oldest = math.huge
  for priority = 0, 9 do
    local low = (9 - priority) * 562949953421312
    local first = redis.call("ZRANGEBYSCORE", queued, ("%.0f"):format(low),
      ("(%.0f"):format(low + 562949953421312), "WITHSCORES", "LIMIT", 0, 1)[2]
    if first then oldest = math.min(oldest, first - low) end
  end
  return oldest
end
