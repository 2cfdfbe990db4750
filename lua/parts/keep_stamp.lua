-- keep_stamp: take all numbers of the sequence up to this one; before the first of a minute, note how the queue is.
-- KEYS  stats
-- USES  digits note_minute
local function keep_stamp(last, minute)
  if minute then note_minute(last, minute) end
  redis.call("HSET", stats, "stamp", digits(last))
end
