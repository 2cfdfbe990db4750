-- is_due: whether a set holds a score up to now, which is given as text: cheaper than a look at its head.
local function is_due(set, now_text)
  return redis.call("ZCOUNT", set, "-inf", now_text) > 0
end
