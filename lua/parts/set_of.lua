-- set_of: the key of the set that is named like a state.
-- KEYS  scheduled queued running retrying completed cancelled dead
local function set_of(state)
  local sets = {
    scheduled = scheduled, queued = queued, running = running, retrying = retrying,
    completed = completed, cancelled = cancelled, dead = dead,
  }
  return sets[state]
end
