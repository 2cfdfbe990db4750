-- forget: let go of all that is kept of jobs that have left their set.
-- KEYS  jobs payloads tries outcomes
local function forget(ids)
  redis.call("HDEL", jobs, unpack(ids))
  redis.call("HDEL", payloads, unpack(ids))
  redis.call("HDEL", tries, unpack(ids))
  redis.call("HDEL", outcomes, unpack(ids))
end
