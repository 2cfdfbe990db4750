-- promote_due: move jobs whose time has come into `queued`, by that time; returns how many, `limit` at most.
-- KEYS  jobs queued stats
-- USES  feed_job priority_base
local function promote_due(set, now, limit, feed)
  local due = redis.call("ZRANGE", set, "-inf", now, "BYSCORE", "LIMIT", "0", limit, "WITHSCORES")
  local ids, entries = {}, {}
  for i = 1, #due, 2 do ids[#ids + 1] = due[i] end
  if #ids == 0 then return 0 end
  for i, record in ipairs(redis.call("HMGET", jobs, unpack(ids))) do
    if record then
      entries[#entries + 1] = ("%.0f"):format(priority_base(record) + due[2 * i])
      entries[#entries + 1] = ids[i]
      feed_job(feed, "queued", ids[i])
    else
      redis.call("HINCRBY", stats, "missing", "1")
    end
  end
  redis.call("ZREM", set, unpack(ids))
  if #entries > 0 then redis.call("ZADD", queued, unpack(entries)) end
  return #ids
end
