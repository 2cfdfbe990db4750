-- finish: put a job into the set of its end, kept from its stamp on; `lease` is that which it ended under, or false.
-- KEYS  outcomes
local function finish(set, id, how, lease, stamp, keep_ms, now_ms)
  local kept_until = keep_ms == 0 and 0 or stamp + keep_ms * 512
  redis.call("ZADD", set, ("%.0f"):format(kept_until), id)
  redis.call("HSET", outcomes, id,
    ("%s %.0f %s\n"):format(how, now_ms, lease or "- - 0 0 0 0 0 0 "))
end
