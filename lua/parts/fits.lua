-- fits: whether a job that ended so belongs into that set: each set has its own ways to get there.
local function fits(outcome, state)
  local how, asked = outcome.how, outcome.lease.cancel == "1"
  if state == "completed" then return how == "ack" end
  if state == "dead" then return not asked and (how == "fail" or how == "reap") end
  return state == "cancelled"
    and (how == "cancel" or asked and (how == "fail" or how == "release" or how == "reap"))
end
