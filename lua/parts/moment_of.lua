-- moment_of: the time that matters in a job's state, who holds it or ended it, if that is asked, the bytes read.
-- It is due, was queued, was started or has ended then; 0 and empty are: not known.
-- KEYS  leases outcomes
-- USES  time_ms
local function moment_of(id, state, score, with_worker)
  if state == "scheduled" or state == "retrying" then return time_ms(score), "", 0 end
  if state == "queued" then return time_ms(score % 562949953421312), "", 0 end
  local entry, at_ms, worker
  if state == "running" then
    entry = redis.call("HGET", leases, id) or ""
    at_ms, worker = entry:match("^%S+ %S+ %d+ %d+ %d+ (%d+) %S+ %d (.*)$")
  else
    entry = redis.call("HGET", outcomes, id) or ""
    at_ms = entry:match("^%S+ (%d+)")
    if with_worker then
      worker = entry:match("^%S+ %d+ %S+ %S+ %d+ %d+ %d+ %d+ %S+ %d ([^\n]*)\n")
    end
  end
  return tonumber(at_ms or 0), worker or "", #entry
end
