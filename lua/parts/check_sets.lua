-- check_sets: read every set of jobs, so that one of another type stops the call before anything is written.
-- KEYS  scheduled queued running retrying completed cancelled dead
local function check_sets()
  redis.call("ZCARD", scheduled)
  redis.call("ZCARD", queued)
  redis.call("ZCARD", running)
  redis.call("ZCARD", retrying)
  redis.call("ZCARD", completed)
  redis.call("ZCARD", cancelled)
  redis.call("ZCARD", dead)
end
