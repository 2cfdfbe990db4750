-- judge_end: what is wrong with the outcome of a job: those that have ended have one, and no others.
-- USES  outcome_of fits
local function judge_end(fact, add, stamp)
  local outcome = fact.outcome and outcome_of(fact.outcome)
  fact.ended = outcome
  local state = fact.state
  local at_end = state == "completed" or state == "cancelled" or state == "dead"
  if not fact.outcome then
    if at_end then add("OUTCOME_MISSING") end
  elseif state and not at_end then
    add("OUTCOME_EXTRA")
  elseif not outcome then
    add("OUTCOME_BROKEN")
  elseif state and not fits(outcome, state) then
    add("OUTCOME_OTHER")
  end
  if stamp and outcome and outcome.lease.fence > stamp then add("FENCE_AHEAD") end
end
