-- judge_tries: what is wrong with the tries of a job, which count how its leases ended.
-- USES  tries_of
local function judge_tries(fact, add, totals)
  local counts, header, state = fact.tries and tries_of(fact.tries), fact.header, fact.state
  if fact.tries and not counts then
    add("TRIES_BROKEN")
    return
  end
  local attempt, last = 0, fact.ended
  if state == "running" and fact.held then attempt = fact.held.attempt end
  if state ~= "running" and last then attempt = last.lease.attempt end
  local counted = last and (last.how == "fail" or last.how == "reap")
  local before = attempt > 0 and attempt - ((state ~= "running" and counted) and 0 or 1)
  local failures, lost = counts and counts.failures or 0, counts and counts.lost or 0
  if not counts then
    if state == "retrying" or state == "dead" or before and before > 0 then add("TRIES_MISSING") end
  elseif before and before ~= failures + lost then
    add("TRIES_OTHER")
  end
  if header and state and state ~= "dead" and state ~= "cancelled"
    and (failures >= (header.max_attempts or default.job_max_attempts)
      or lost > (header.max_lost or default.job_max_lost)) then
    add("TRIES_BOUND")
  end
  if counts and (counts.failures_ever > (totals.failed or 0)
    or counts.lost_ever > (totals.lost or 0)) then
    add("TRIES_UNCOUNTED")
  end
end
