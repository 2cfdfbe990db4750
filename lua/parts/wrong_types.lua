-- wrong_types: for each part that is of another type than it should be, that type; none is no fault.
-- KEYS  jobs payloads queued scheduled retrying running leases claims claim_ends completed cancelled
--       dead outcomes tries stats settings bell operations series events notes
local function wrong_types()
  local found = {
    jobs = redis.call("TYPE", jobs), payloads = redis.call("TYPE", payloads),
    leases = redis.call("TYPE", leases), claims = redis.call("TYPE", claims),
    outcomes = redis.call("TYPE", outcomes), tries = redis.call("TYPE", tries),
    stats = redis.call("TYPE", stats), settings = redis.call("TYPE", settings),
    queued = redis.call("TYPE", queued), scheduled = redis.call("TYPE", scheduled),
    retrying = redis.call("TYPE", retrying), running = redis.call("TYPE", running),
    completed = redis.call("TYPE", completed), cancelled = redis.call("TYPE", cancelled),
    dead = redis.call("TYPE", dead), claim_ends = redis.call("TYPE", claim_ends),
    bell = redis.call("TYPE", bell), operations = redis.call("TYPE", operations),
    series = redis.call("TYPE", series), events = redis.call("TYPE", events),
    notes = redis.call("TYPE", notes),
  }
  local right = {
    jobs = "hash", payloads = "hash", leases = "hash", claims = "hash", outcomes = "hash",
    tries = "hash", stats = "hash", settings = "hash", bell = "list",
    operations = "hash", series = "hash", events = "stream", notes = "hash",
  }
  local wrong = {}
  for part, reply in pairs(found) do
    if reply.ok ~= "none" and reply.ok ~= (right[part] or "zset") then wrong[part] = reply.ok end
  end
  return wrong
end
