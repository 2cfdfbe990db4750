-- note_try: remember how a lease ended, and its error, a table; the last 10 errors are kept.
-- KEYS  tries
-- USES  tried in_json
local function note_try(id, token, how, failures, losses, problem)
  local entry = redis.call("HGET", tries, id)
  local failed, lost, failed_ever, lost_ever, _, _, errors = tried(entry)
  if problem then
    local _, lines = errors:gsub("\n", "\n")
    if lines >= 10 then errors = errors:sub(errors:find("\n", 1, true) + 1) end
    local form = '%s{"attempt":%d,"type":%s,"message":%s,"stack":%s,"worker":%s,"at_ms":%.0f}\n'
    errors = form:format(errors, failed + lost + 1,
      in_json(problem.type, 200), in_json(problem.message, 1000), in_json(problem.stack, 2800),
      cjson.encode(problem.worker), problem.at_ms)
  end
  redis.call("HSET", tries, id, ("%d %d %d %d %s %s\n%s"):format(
    failed + failures, lost + losses, failed_ever + failures, lost_ever + losses, token, how,
    errors))
  return failed + failures, lost + losses
end
