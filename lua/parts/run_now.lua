-- run_now: queue delayed jobs as promote would, with the turn of their due time, or of now if that is earlier.
-- KEYS  queued
-- USES  priority_base
local function run_now(set, found, first)
  local ids, entries = {}, {}
  for i, job in ipairs(found) do
    local turn = math.min(job.score, first + i - 1)
    ids[i], entries[2 * i] = job.id, job.id
    entries[2 * i - 1] = ("%.0f"):format(priority_base(job.record) + turn)
  end
  redis.call("ZREM", set, unpack(ids))
  redis.call("ZADD", queued, unpack(entries))
end
