-- wait_ms: how long until something is due, a minute at most: a caller looks again then.
-- KEYS  scheduled retrying running
-- USES  head time_ms
local function wait_ms(now_ms, now)
  local due = math.min(head(scheduled), head(retrying), head(running), now + 60000 * 512)
  return math.max(0, time_ms(due) - now_ms)
end
