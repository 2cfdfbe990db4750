-- ask_to_stop: note with a lease that its job is to stop, which extend tells its worker; returns whether that is new.
-- KEYS  leases
local function ask_to_stop(id, lease)
  if not lease then return false end
  local asked, found = lease:gsub("^(%S+ %S+ %d+ %d+ %d+ %d+ %S+) 0", "%1 1")
  if found > 0 then redis.call("HSET", leases, id, asked) end
  return found > 0
end
