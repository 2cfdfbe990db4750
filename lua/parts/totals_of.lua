-- totals_of: the stamp and the totals of a queue as numbers, without those that are none.
-- KEYS  stats
-- USES  integer
local function totals_of(wrong)
  local names = { "stamp", "enqueued", "completed", "failed", "lost", "died", "cancelled",
    "replayed", "purged", "trimmed", "dead_trimmed", "missing" }
  local totals = {}
  if wrong.stats then return totals, names end
  for i, value in ipairs(redis.call("HMGET", stats, unpack(names))) do
    totals[names[i]] = integer(value, 0, 9007199254740991)
  end
  return totals, names
end
