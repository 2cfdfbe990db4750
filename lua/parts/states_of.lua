-- states_of: for each id the state, which is the name of the one set that holds it, and its score there.
-- KEYS  scheduled queued running retrying completed cancelled dead
local function states_of(ids)
  local state, score = {}, {}
  local found = {
    scheduled = redis.call("ZMSCORE", scheduled, unpack(ids)),
    queued = redis.call("ZMSCORE", queued, unpack(ids)),
    running = redis.call("ZMSCORE", running, unpack(ids)),
    retrying = redis.call("ZMSCORE", retrying, unpack(ids)),
    completed = redis.call("ZMSCORE", completed, unpack(ids)),
    cancelled = redis.call("ZMSCORE", cancelled, unpack(ids)),
    dead = redis.call("ZMSCORE", dead, unpack(ids)),
  }
  for at, scores in pairs(found) do
    for i = 1, #ids do
      if scores[i] then state[i], score[i] = at, tonumber(scores[i]) end
    end
  end
  return state, score
end
