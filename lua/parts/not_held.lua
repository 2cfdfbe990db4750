-- not_held: the answer to a token that holds no lease: ALREADY if it ended the last one by this verb.
-- KEYS  jobs tries outcomes
-- USES  tried
local function not_held(id, token, verb)
  local how, ended_by = (redis.call("HGET", outcomes, id) or ""):match("^(%S+) %d+ (%S+)")
  if not ended_by or ended_by == "-" then
    local _, _, _, _, last_token, last_how = tried(redis.call("HGET", tries, id))
    how, ended_by = last_how, last_token
  end
  if ended_by == token and how == verb then return "ALREADY" end
  if redis.call("HEXISTS", jobs, id) == 1 then return "LEASE_LOST" end
  return "UNKNOWN"
end
