-- mend_job: mend what is kept of a job, where its record can be read; what needs a guess stays as it is.
-- Returns the state that it has then, or nil.
-- KEYS  payloads scheduled queued running retrying completed cancelled dead leases tries outcomes stats
--       notes
-- USES  put_into pick_state right_score mend_lease mend_end mend_tries mend_notes
local function mend_job(fact, kept_ms, remembered, totals, now)
  local id = fact.id
  if not fact.record then
    put_into(fact)
    redis.call("HDEL", payloads, id)
    redis.call("HDEL", leases, id)
    redis.call("HDEL", tries, id)
    redis.call("HDEL", outcomes, id)
    redis.call("HDEL", notes, id)
    if #fact.states > 0 then
      totals.missing = (totals.missing or 0) + 1
      redis.call("HSET", stats, "missing", ("%.0f"):format(totals.missing))
    end
    return nil
  end
  if not fact.header or not fact.named then return nil end
  local state = pick_state(fact, now)
  if not state then return nil end
  mend_tries(fact, totals)
  local score = right_score(fact, state, kept_ms, now)
  put_into(fact, state, score)
  mend_lease(fact, state, score, remembered, totals, now)
  mend_end(fact, state, totals)
  mend_notes(fact)
  if not fact.header.payload_bytes then redis.call("HDEL", payloads, id) end
  return state
end
