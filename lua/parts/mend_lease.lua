-- mend_lease: let the lease of a job fit its state, its record, the memory of its claim, and the stamp.
-- KEYS  leases claims stats
-- USES  keep_stamp mend_claim
local function mend_lease(fact, state, score, remembered, totals, now)
  local id, lease, header = fact.id, fact.held, fact.header
  if state ~= "running" then
    redis.call("HDEL", leases, id)
    return
  end
  local base = (9 - (header.priority or default.job_priority)) * 562949953421312
  local retention = header.retention_ms and ("%.0f"):format(header.retention_ms) or "-"
  redis.call("HSET", leases, id, ("%s %s %.0f %.0f %.0f %.0f %.0f %s %s"):format(
    lease.token, retention, lease.lease_ms, lease.first_end, lease.attempt, lease.claimed_ms,
    base + lease.place % 562949953421312, lease.cancel, lease.worker))
  if totals.stamp and lease.fence > totals.stamp then
    totals.stamp = lease.fence
    keep_stamp(lease.fence)
  end
  local lapses = score or fact.score.running
  if lapses > now and not remembered(lease.token, id) then
    local ids = redis.call("HGET", claims, lease.token)
    local listed = ids and (" " .. ids .. " "):find(" " .. id .. " ", 1, true)
    if not listed then redis.call("HSET", claims, lease.token, ids and ids .. " " .. id or id) end
    mend_claim(lease.token)
  end
end
