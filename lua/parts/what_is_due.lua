-- what_is_due: which sets hold what is due before a claim takes jobs; nil where none does, which is the rule.
-- KEYS  scheduled retrying running completed cancelled dead claim_ends
-- USES  digits is_due
local function what_is_due(now)
  local now_text = digits(now)
  local reaped, delayed = is_due(running, now_text), is_due(scheduled, now_text)
  local retry, old_completed = is_due(retrying, now_text), is_due(completed, now_text)
  local old_cancelled, old_dead = is_due(cancelled, now_text), is_due(dead, now_text)
  local old_claim = is_due(claim_ends, now_text)
  if reaped or delayed or retry or old_completed or old_cancelled or old_dead or old_claim then
    return {
      running = reaped, scheduled = delayed, retrying = retry, completed = old_completed,
      cancelled = old_cancelled, dead = old_dead, claims = old_claim,
    }
  end
end
