-- held: for each item its lease, if it is held under the item's token and has not run out; else false.
-- KEYS  leases running
-- USES  digits is_due
local function held(id, token, now)
  local found = redis.call("HMGET", leases, unpack(id))
  -- Where no lease at all has run out, which is the rule, none needs to be looked at.
  local ends = is_due(running, digits(now)) and redis.call("ZMSCORE", running, unpack(id))
  local same, start
  for i = 1, #id do
    if token[i] ~= same then same, start = token[i], token[i] .. " " end
    local live = found[i] and found[i]:find(start, 1, true) == 1
    if not live or ends and tonumber(ends[i] or 0) <= now then found[i] = false end
  end
  return found
end
