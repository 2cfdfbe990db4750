-- mend_end: let the outcome of a job fit its state; what is not known any more is left empty.
-- KEYS  outcomes stats
-- USES  keep_stamp
local function mend_end(fact, state, totals)
  local id, outcome = fact.id, fact.ended
  if state ~= "completed" and state ~= "cancelled" and state ~= "dead" then
    redis.call("HDEL", outcomes, id)
  elseif not outcome then
    local how = { completed = "ack", cancelled = "cancel", dead = "fail" }
    local last = (fact.tries or ""):match("^%d+ %d+ %d+ %d+ %S+ (%S+)\n")
    local ended = state == "dead" and last == "reap" and "reap" or how[state]
    redis.call("HSET", outcomes, id, ended .. " 0 - - 0 0 0 0 0 0 \n")
  elseif totals.stamp and outcome.lease.fence > totals.stamp then
    totals.stamp = outcome.lease.fence
    keep_stamp(totals.stamp)
  end
end
