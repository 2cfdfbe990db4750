#!lua flags=allow-oom
-- promote 2: queue the scheduled and retrying jobs whose time has come.
--
-- claim does the same by itself; this is for a timer, so that queues nobody claims from move on, too.
--
-- KEYS  jobs queued scheduled retrying stats settings bell events
-- ARGV
--   limit  integer  1..500  how many jobs of each set at most
-- SETTINGS  keep_events
-- REPLIES
--   PROMOTED  now_ms:integer promoted:integer more:integer   more is 1 if due ones are left
-- ERRORS  BAD_ARGUMENT BAD_KEYS UPGRADE
-- COST    O(n log m), n = jobs promoted, m = jobs of the queue
-- USES    integer bad_argument clock open_feed feed_job note_event head ring priority_base
--         promote_due

-- bound by `make lua` from the header above; edit the header instead
local LEVEL = 1
local key_base, queue = string.match(KEYS[1] or "", "^([^{}]+1:{(%w[%w_.-]*)}:)jobs$")
if not key_base or #queue > 128 or #KEYS ~= 8
  or table.concat(KEYS, ",") ~= key_base .. "jobs," .. key_base .. "queued,"
  .. key_base .. "scheduled," .. key_base .. "retrying," .. key_base .. "stats,"
  .. key_base .. "settings," .. key_base .. "bell," .. key_base .. "events"
then
  return { "BAD_KEYS", "promote takes these keys of one queue, in this order: jobs queued "
    .. "scheduled retrying stats settings bell events" }
end
local jobs, queued, scheduled, retrying, stats, settings, bell, events = unpack(KEYS)
local ARGV = ARGV
-- parts: integer bad_argument clock open_feed feed_job note_event head ring priority_base
--   promote_due
if #ARGV ~= 1 then
  return { "BAD_ARGUMENT", "promote takes 1 argument, not " .. #ARGV }
end
local limit = integer(ARGV[1], 1, 500)
if limit == nil then
  return bad_argument("limit", "an integer 1..500", ARGV[1])
end
local in_force = redis.call("HGETALL", settings)
for i = 1, #in_force, 2 do in_force[in_force[i]] = in_force[i + 1] end
if tonumber(in_force.needs or 1) > LEVEL then
  return { "UPGRADE", ("queue %s needs level %s, this script is %d"):format(
    queue, in_force.needs, LEVEL) }
end
local keep_events = (in_force.keep_events or 0) + 0
-- end of bound

local now_ms, now = clock()
redis.call("HLEN", stats)
redis.call("ZCARD", queued)
redis.call("LLEN", bell)
redis.call("ZCARD", retrying)
local feed = open_feed(keep_events)
local promoted = promote_due(scheduled, now, limit, feed)
  + promote_due(retrying, now, limit, feed)
if promoted > 0 then ring() end
note_event(feed, "promote", keep_events)
local more = math.min(head(scheduled), head(retrying)) <= now and 1 or 0
return { "PROMOTED", now_ms, promoted, more }
