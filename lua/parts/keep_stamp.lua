-- keep_stamp: take all numbers of the sequence up to this one.
-- KEYS  stats
local function keep_stamp(last)
  redis.call("HSET", stats, "stamp", ("%.0f"):format(last))
end
