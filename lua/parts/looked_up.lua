-- looked_up: what the keys hold of each id; what is of a wrong type is not read, as if it were empty.
-- Once 1 MB has been read the rest is false: for another call. The bytes read are told, too.
-- KEYS  jobs payloads scheduled queued running retrying completed cancelled dead leases tries
--       outcomes notes
local function looked_up(ids, wrong)
  if #ids == 0 then return {}, 0 end
  local scores = {
    scheduled = not wrong.scheduled and redis.call("ZMSCORE", scheduled, unpack(ids)) or {},
    queued = not wrong.queued and redis.call("ZMSCORE", queued, unpack(ids)) or {},
    running = not wrong.running and redis.call("ZMSCORE", running, unpack(ids)) or {},
    retrying = not wrong.retrying and redis.call("ZMSCORE", retrying, unpack(ids)) or {},
    completed = not wrong.completed and redis.call("ZMSCORE", completed, unpack(ids)) or {},
    cancelled = not wrong.cancelled and redis.call("ZMSCORE", cancelled, unpack(ids)) or {},
    dead = not wrong.dead and redis.call("ZMSCORE", dead, unpack(ids)) or {},
  }
  local held = not wrong.leases and redis.call("HMGET", leases, unpack(ids)) or {}
  -- What a queue does not use costs no look a job.
  local has_payloads = not wrong.payloads and redis.call("HLEN", payloads) > 0
  local has_tries = not wrong.tries and redis.call("HLEN", tries) > 0
  local has_outcomes = not wrong.outcomes and redis.call("HLEN", outcomes) > 0
  local has_notes = not wrong.notes and redis.call("HLEN", notes) > 0
  local found, read = {}, 0
  for i, id in ipairs(ids) do
    if read > 1000000 then
      found[i] = false
    else
      local fact = {
        id = id, states = {}, score = {}, lease = held[i],
        record = not wrong.jobs and redis.call("HGET", jobs, id),
        payload = has_payloads and redis.call("HEXISTS", payloads, id) == 1
          and redis.call("HSTRLEN", payloads, id),
        tries = has_tries and redis.call("HGET", tries, id),
        outcome = has_outcomes and redis.call("HGET", outcomes, id),
        notes = has_notes and redis.call("HGET", notes, id),
      }
      for state, of in pairs(scores) do
        if of[i] then
          fact.states[#fact.states + 1], fact.score[state] = state, tonumber(of[i])
        end
      end
      if #fact.states > 1 then table.sort(fact.states) end
      read = read + #(fact.record or "") + #(fact.tries or "") + #(fact.outcome or "")
        + #(fact.notes or "")
      found[i] = fact
    end
  end
  return found, read
end
