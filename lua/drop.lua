#!lua flags=allow-oom
-- drop 2: delete a queue that keeps no job, with its settings, totals and operations.
--
-- Who uses it again makes it anew. The stamp stays where the clock alone would not go on from it, so that
-- fences only grow. The user needs DEL, as for no other verb.
--
-- KEYS  operations jobs payloads scheduled queued running retrying completed cancelled dead leases
--       claims claim_ends tries outcomes stats settings bell series events notes
-- REPLIES
--   DROPPED    now_ms:integer                nothing is left, or nothing was there
--   NOT_EMPTY  now_ms:integer jobs:integer   it keeps so many jobs: nothing was changed
-- ERRORS  BAD_ARGUMENT BAD_KEYS UPGRADE
-- COST    O(n), n = claims and operations kept
-- USES    clock

-- bound by `make lua` from the header above; edit the header instead
local LEVEL = 1
local key_base, queue = string.match(KEYS[1] or "", "^([^{}]+1:{(%w[%w_.-]*)}:)operations$")
if not key_base or #queue > 128 or #KEYS ~= 21
  or table.concat(KEYS, ",") ~= key_base .. "operations," .. key_base .. "jobs,"
  .. key_base .. "payloads," .. key_base .. "scheduled," .. key_base .. "queued,"
  .. key_base .. "running," .. key_base .. "retrying," .. key_base .. "completed,"
  .. key_base .. "cancelled," .. key_base .. "dead," .. key_base .. "leases,"
  .. key_base .. "claims," .. key_base .. "claim_ends," .. key_base .. "tries,"
  .. key_base .. "outcomes," .. key_base .. "stats," .. key_base .. "settings,"
  .. key_base .. "bell," .. key_base .. "series," .. key_base .. "events," .. key_base .. "notes"
then
  return { "BAD_KEYS", "drop takes these keys of one queue, in this order: operations jobs "
    .. "payloads scheduled queued running retrying completed cancelled dead "
    .. "leases claims claim_ends tries outcomes stats settings bell series events"
    .. " notes" }
end
local operations, jobs, payloads, scheduled, queued, running, retrying, completed, cancelled, dead,
  leases, claims, claim_ends, tries, outcomes, stats, settings, bell, series, events, notes =
  unpack(KEYS)
-- parts: clock
if #ARGV ~= 0 then
  return { "BAD_ARGUMENT", "drop takes 0 arguments, not " .. #ARGV }
end
local in_force = { needs = redis.call("HGET", settings, "needs") }
if tonumber(in_force.needs or 1) > LEVEL then
  return { "UPGRADE", ("queue %s needs level %s, this script is %d"):format(
    queue, in_force.needs, LEVEL) }
end
-- end of bound

local now_ms, now = clock()
local kept = redis.call("HLEN", jobs)
local placed = redis.call("ZCARD", scheduled) + redis.call("ZCARD", queued)
  + redis.call("ZCARD", running) + redis.call("ZCARD", retrying) + redis.call("ZCARD", completed)
  + redis.call("ZCARD", cancelled) + redis.call("ZCARD", dead)
redis.call("HLEN", operations)
redis.call("HLEN", payloads)
redis.call("HLEN", leases)
redis.call("HLEN", claims)
redis.call("ZCARD", claim_ends)
redis.call("HLEN", tries)
redis.call("HLEN", outcomes)
redis.call("LLEN", bell)
redis.call("HLEN", series)
redis.call("XLEN", events)
redis.call("HLEN", notes)
local stamp = tonumber(redis.call("HGET", stats, "stamp") or 0)
if kept + placed > 0 then return { "NOT_EMPTY", now_ms, math.max(kept, placed) } end

redis.call("DEL", operations, payloads, leases, claims, claim_ends, tries, outcomes, settings, bell)
redis.call("DEL", stats, series, events, notes)
-- Within its own millisecond the clock does not go on from it either.
if stamp >= now - 511 then redis.call("HSET", stats, "stamp", ("%.0f"):format(stamp)) end
return { "DROPPED", now_ms }
