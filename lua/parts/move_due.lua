-- move_due: do what is due before a claim takes jobs, 100 leases and 100 of each delayed set at most.
-- KEYS  scheduled retrying running completed cancelled dead claims claim_ends
-- USES  head trim promote_due reap_due
local function move_due(now_ms, now, most, keep_dead_ms, keep_cancelled_ms)
  local lapse, delayed, retry = head(running), head(scheduled), head(retrying)
  local old_completed, old_cancelled, old_dead = head(completed), head(cancelled), head(dead)
  local old_claim = head(claim_ends)
  local reaped = lapse <= now
  if reaped then reap_due(now_ms, now, 100, keep_dead_ms, keep_cancelled_ms) end
  if delayed <= now then promote_due(scheduled, now, 100) end
  if retry <= now then promote_due(retrying, now, 100) end
  if old_completed <= now then trim(completed, now, most.completed, "trimmed") end
  -- What was just reaped may be one too many, or not to be kept at all.
  if reaped or old_cancelled <= now then trim(cancelled, now, most.cancelled, "trimmed") end
  if reaped or old_dead <= now then trim(dead, now, most.dead, "dead_trimmed") end
  if old_claim <= now then
    local past = redis.call("ZRANGE", claim_ends, "-inf", now, "BYSCORE", "LIMIT", "0", "100")
    redis.call("ZREM", claim_ends, unpack(past))
    redis.call("HDEL", claims, unpack(past))
  end
end
