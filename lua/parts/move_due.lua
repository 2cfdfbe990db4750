-- move_due: do what is due before a claim takes jobs, 100 leases and 100 of each delayed set at most; returns
-- whether a lease had run out, so that the stamp moved.
-- KEYS  scheduled retrying running completed cancelled dead claims claim_ends
-- USES  is_due trim promote_due reap_due
local function move_due(now_ms, now, most, keep_dead_ms, keep_cancelled_ms, feed)
  local now_text = ("%.0f"):format(now)
  local reaped, delayed = is_due(running, now_text), is_due(scheduled, now_text)
  local retry, old_completed = is_due(retrying, now_text), is_due(completed, now_text)
  local old_cancelled, old_dead = is_due(cancelled, now_text), is_due(dead, now_text)
  local old_claim = is_due(claim_ends, now_text)
  if reaped then reap_due(now_ms, now, 100, keep_dead_ms, keep_cancelled_ms, feed) end
  if delayed then promote_due(scheduled, now, 100, feed) end
  if retry then promote_due(retrying, now, 100, feed) end
  if old_completed then trim(completed, now, most.completed, "trimmed") end
  -- What was just reaped may be one too many, or not to be kept at all.
  if reaped or old_cancelled then trim(cancelled, now, most.cancelled, "trimmed") end
  if reaped or old_dead then trim(dead, now, most.dead, "dead_trimmed") end
  if old_claim then
    local past = redis.call("ZRANGE", claim_ends, "-inf", now, "BYSCORE", "LIMIT", "0", "100")
    redis.call("ZREM", claim_ends, unpack(past))
    redis.call("HDEL", claims, unpack(past))
  end
  return reaped
end
