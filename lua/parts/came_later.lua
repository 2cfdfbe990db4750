-- came_later: whether a job came into its state after an operation had begun, as far as what is kept can tell,
-- and the bytes read for it.
-- KEYS  outcomes tries
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
  elseif op.state ~= "scheduled" then
    local outcome = redis.call("HGET", outcomes, job.id) or ""
    at_ms, read = outcome:match("^%S+ (%d+)"), #outcome
  end
  return tonumber(at_ms or 0) > op.started_ms, read
end
