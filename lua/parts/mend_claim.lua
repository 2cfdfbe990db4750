-- mend_claim: remember of a claim what is still leased under it, or nothing.
-- KEYS  running leases claims claim_ends
-- USES  name
local function mend_claim(token)
  local ids, ends = {}, 0
  for id in (redis.call("HGET", claims, token) or ""):gmatch("[^ ]+") do
    local lease = redis.call("HGET", leases, id) or ""
    local lapses = tonumber(redis.call("ZSCORE", running, id) or 0)
    local under = lease:sub(1, #token + 1) == token .. " " and lapses < 562949953421312
    if under and name(token, 1, 64) and name(id, 1, 128) then
      ids[#ids + 1], ends = id, math.max(ends, lapses)
    end
  end
  redis.call("HDEL", claims, token)
  redis.call("ZREM", claim_ends, token)
  if #ids == 0 then return end
  redis.call("HSET", claims, token, table.concat(ids, " "))
  redis.call("ZADD", claim_ends, ("%.0f"):format(ends), token)
end
