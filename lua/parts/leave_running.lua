-- leave_running: end the lease of a job.
-- KEYS  running leases
local function leave_running(id)
  redis.call("ZREM", running, id)
  redis.call("HDEL", leases, id)
end
