-- pick_state: the state that a job has to have, or nil where only a guess could tell.
-- A lease that is held wins, then an end that its outcome confirms, then what leads to the job being run.
-- USES  fits
local function pick_state(fact, now)
  local score, lease, outcome = fact.score, fact.held, fact.ended
  local nowhere = #fact.states == 0
  if lease and score.running and score.running > now then return "running" end
  for _, state in ipairs({ "completed", "cancelled", "dead" }) do
    if (score[state] or nowhere) and outcome and fits(outcome, state) then return state end
  end
  if lease and (score.running or nowhere) then return "running" end
  for _, state in ipairs({ "retrying", "scheduled", "queued" }) do
    if score[state] then return state end
  end
  local ended = score.completed or score.cancelled or score.dead
  if not ended then return "queued" end
  return #fact.states == 1 and fact.states[1] or nil
end
