-- note_try: remember how a lease ended, and its error, a table; the last 10 errors are kept.
-- Returns the failures and losses since the last replay, and how many bytes were read.
-- KEYS  tries
-- USES  tried in_json line_starts
local function note_try(id, token, how, failures, losses, problem)
  local entry = redis.call("HGET", tries, id)
  local failed, lost, failed_ever, lost_ever, _, _, errors_at = tried(entry)
  local line = ""
  if problem then
    local starts = line_starts(entry or "", errors_at)
    if #starts >= 10 then errors_at = starts[2] end
    line = ('{"attempt":%d,"type":%s,"message":%s,"stack":%s,"worker":%s,"at_ms":%.0f}\n'):format(
      failed + lost + 1, in_json(problem.type, 200), in_json(problem.message, 1000),
      in_json(problem.stack, 2800), cjson.encode(problem.worker), problem.at_ms)
  end
  local counts = ("%d %d %d %d %s %s\n"):format(
    failed + failures, lost + losses, failed_ever + failures, lost_ever + losses, token, how)
  -- Joined once: each copy of 40 KB of errors shows where hundreds of jobs fail in one call.
  redis.call("HSET", tries, id, counts .. (entry or ""):sub(errors_at) .. line)
  return failed + failures, lost + losses, #(entry or "")
end
