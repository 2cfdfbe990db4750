-- head: the lowest score of a set, or infinity if the set is empty.
local function head(set)
  return tonumber(redis.call("ZRANGE", set, "0", "0", "WITHSCORES")[2]) or math.huge
end
