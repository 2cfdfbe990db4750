-- forget: let go of all that is kept of jobs that have left their set; what a queue does not use costs one look.
-- A `notes` of another type is left alone, since nothing has read it before the first write.
-- KEYS  jobs payloads tries outcomes notes
local function forget(ids)
  redis.call("HDEL", jobs, unpack(ids))
  redis.call("HDEL", outcomes, unpack(ids))
  if redis.call("EXISTS", payloads, tries, notes) > 0 then
    redis.call("HDEL", payloads, unpack(ids))
    redis.call("HDEL", tries, unpack(ids))
    redis.pcall("HDEL", notes, unpack(ids))
  end
end
