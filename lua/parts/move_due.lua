-- move_due: do what is due before a claim takes jobs, 100 leases and 100 of each delayed set at most. What it may
-- write is read first, by the caller or here: a key of another type stops the call before anything is done.
-- KEYS  scheduled retrying completed cancelled dead claims claim_ends jobs payloads leases tries outcomes
--       queued bell
-- USES  trim promote_due reap_due
-- RARE  few calls do it
local function move_due(due, now_ms, now, most, keep_dead_ms, keep_cancelled_ms, feed)
  redis.call("HLEN", jobs)
  redis.call("HLEN", payloads)
  redis.call("HLEN", leases)
  redis.call("HLEN", tries)
  redis.call("HLEN", outcomes)
  redis.call("LLEN", bell)
  redis.call("ZCARD", queued)
  local reaped = due.running
  if reaped then reap_due(now_ms, now, 100, keep_dead_ms, keep_cancelled_ms, feed) end
  if due.scheduled then promote_due(scheduled, now, 100, feed) end
  if due.retrying then promote_due(retrying, now, 100, feed) end
  if due.completed then trim(completed, now, most.completed, "trimmed") end
  -- What was just reaped may be one too many, or not to be kept at all.
  if reaped or due.cancelled then trim(cancelled, now, most.cancelled, "trimmed") end
  if reaped or due.dead then trim(dead, now, most.dead, "dead_trimmed") end
  if due.claims then
    local past = redis.call("ZRANGE", claim_ends, "-inf", now, "BYSCORE", "LIMIT", "0", "100")
    redis.call("ZREM", claim_ends, unpack(past))
    redis.call("HDEL", claims, unpack(past))
  end
end
