-- describe: all that is kept of a job, as one item of a reply; `payload` is false where none is shown.
-- The bytes of tries and outcome that were read for it are told, too.
-- KEYS  leases tries outcomes
-- USES  tried lease_fields time_ms line_starts place_of
local function describe(id, state, score, header, headers, payload, whole)
  local entry = redis.call("HGET", tries, id)
  local failures, lost, failures_ever, lost_ever, _, _, errors_at = tried(entry)
  local attempt, started_ms, worker, fence, cancel = failures + lost, 0, "", 0, 0
  local how, ended_ms, result, _ = "", 0, "", nil
  local lease = state == "running" and redis.call("HGET", leases, id)
  local outcome = redis.call("HGET", outcomes, id)
  if lease then
    _, _, fence, attempt, started_ms, _, cancel, worker = lease_fields(lease)
  elseif outcome then
    local last_attempt
    how, ended_ms, lease, result = outcome:match("^(%S+) (%d+) ([^\n]*)\n()")
    result = whole and outcome:sub(result) or ""
    _, _, _, last_attempt, started_ms, _, _, worker = lease_fields(lease)
    if last_attempt ~= "0" then attempt = last_attempt end
  end
  local waits = state == "scheduled" or state == "retrying"
  local ended = state == "completed" or state == "cancelled" or state == "dead"
  local moment_ms = time_ms(state == "queued" and score % 562949953421312 or score)
  if not whole and entry then
    local starts = line_starts(entry, errors_at)
    errors_at = starts[#starts] or errors_at
  end
  return { "JOB", id, state, header, headers, payload and 1 or 0, payload or "",
    (waits or state == "queued") and moment_ms or 0, tonumber(attempt), failures_ever, lost_ever,
    fence, tonumber(started_ms), state == "running" and moment_ms or 0, worker,
    tonumber(cancel), how, tonumber(ended_ms), ended and score > 0 and moment_ms or 0, result,
    (entry or ""):sub(errors_at), place_of(state, score, header, cancel) },
    #(entry or "") + #(outcome or "")
end
