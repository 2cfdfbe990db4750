-- came_later: whether a job came into its state after an operation had begun, as far as what is kept can tell,
-- and the bytes read for it.
-- KEYS  outcomes tries leases
-- USES  last_error
local function came_later(op, job)
  local created_ms = tonumber(job.record:match('^[^\n]*"created_ms":(%d+)') or 0)
  if created_ms > op.started_ms then return true, 0 end
  if op.state == "queued" then return job.score % 562949953421312 > op.as_of, 0 end
  local at_ms, read = 0, 0
  if op.state == "retrying" then
    local line
    line, read = last_error(job.id)
    at_ms = line:sub(-32):match('"at_ms":(%d+)}\n$')
  elseif op.state == "running" then
    -- One that is asked already to stop has been done, also if an extend moved it on since.
    local lease = redis.call("HGET", leases, job.id) or ""
    local claimed_ms, asked = lease:match("^%S+ %S+ %d+ %d+ %d+ (%d+) %S+ (%d)")
    if asked == "1" then return true, #lease end
    at_ms, read = claimed_ms, #lease
  elseif op.state ~= "scheduled" then
    local outcome = redis.call("HGET", outcomes, job.id) or ""
    at_ms, read = outcome:match("^%S+ (%d+)"), #outcome
  end
  return tonumber(at_ms or 0) > op.started_ms, read
end
