-- trim: forget finished jobs that are past their time or above their number, oldest first, 500 at most; `held`:
-- how many the set holds, where the caller knows.
-- KEYS  stats
-- USES  digits forget freed_at_once
local function trim(set, now, keep, total, held)
  local over = (held or redis.call("ZCARD", set)) - keep
  local gone = math.max(redis.call("ZCOUNT", set, "-inf", digits(now)), over)
  if gone <= 0 then return 0 end
  local ids = freed_at_once(redis.call("ZRANGE", set, "0", math.min(gone, 500) - 1))
  redis.call("ZREMRANGEBYRANK", set, "0", #ids - 1)
  forget(ids)
  redis.call("HINCRBY", stats, total, #ids)
  return #ids
end
