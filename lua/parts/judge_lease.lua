-- judge_lease: what is wrong with the lease of a job, which lives and dies with its entry in `running`.
-- USES  lease_of
local function judge_lease(fact, add, remembered, stamp, now)
  local header, lease = fact.header, fact.lease and lease_of(fact.lease)
  fact.held = lease
  if not fact.score.running then
    if fact.lease then add("LEASE_EXTRA") end
    return
  elseif not fact.lease then
    add("LEASE_MISSING")
    return
  elseif not lease then
    add("LEASE_BROKEN")
    return
  end
  if header then
    local priority = 9 - math.floor(lease.place / 562949953421312)
    local retention = header.retention_ms and ("%.0f"):format(header.retention_ms) or "-"
    if lease.retention ~= retention or priority ~= (header.priority or default.job_priority) then
      add("LEASE_OTHER")
    end
  end
  if stamp and lease.fence > stamp then add("FENCE_AHEAD") end
  if fact.score.running > now and not remembered(lease.token, fact.id) then
    add("CLAIM_MISSING")
  end
end
