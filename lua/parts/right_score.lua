-- right_score: the score that a job has to have in the set of a state, or nil where it has it or none can tell.
-- USES  next_stamp keep_stamp stamps in_range
local function right_score(fact, state, kept_ms, now)
  local score, header = fact.score[state], fact.header
  local most = state == "queued" and 5629499534213119 or 562949953421311
  local sound = in_range(score, 0, most)
  if state == "queued" then
    local base = (9 - (header.priority or default.job_priority)) * 562949953421312
    local turn = sound and score % 562949953421312 or stamps(now, 1)
    return base + turn ~= score and base + turn or nil
  end
  if sound or state == "scheduled" or state == "retrying" then return nil end
  if state == "running" then return fact.held.first_end end
  local retention, at_ms = kept_ms[state], fact.ended and fact.ended.at_ms or 0
  if state == "completed" and fact.ended and fact.ended.lease.retention ~= "-" then
    retention = tonumber(fact.ended.lease.retention)
  end
  local ended = at_ms > 1735689600000 and (at_ms - 1735689600000) * 512 or now
  return math.min(ended + retention * 512, 562949953421311)
end
