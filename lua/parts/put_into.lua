-- put_into: take a job out of all sets but that of its state, and put it there if it has a new score.
-- KEYS  scheduled queued running retrying completed cancelled dead
-- USES  set_of
local function put_into(fact, state, score)
  for _, other in ipairs(fact.states) do
    if other ~= state then
      local set = set_of(other)
      redis.call("ZREM", set, fact.id)
    end
  end
  if score then
    local set = set_of(state)
    redis.call("ZADD", set, ("%.0f"):format(score), fact.id)
  end
end
