-- replay_job: queue a dead job again, with fresh attempts; its history is kept.
-- KEYS  dead queued tries outcomes
-- USES  tried priority_base
local function replay_job(id, record, stamp)
  local entry = redis.call("HGET", tries, id)
  local _, _, failures_ever, lost_ever, token, how, errors_at = tried(entry)
  local counts = ("0 0 %d %d %s %s\n"):format(failures_ever, lost_ever, token, how)
  redis.call("HSET", tries, id, counts .. (entry or ""):sub(errors_at))
  redis.call("HDEL", outcomes, id)
  redis.call("ZREM", dead, id)
  redis.call("ZADD", queued, ("%.0f"):format(priority_base(record) + stamp), id)
end
