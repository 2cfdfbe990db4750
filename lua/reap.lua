#!lua flags=allow-oom
-- reap 2: end the leases that ran out, and forget finished jobs past their time.
--
-- claim does the same by itself; this is for a timer, so that queues nobody claims from move on, too.
-- The decision and the move are one: a lease that its worker has just extended is left alone.
--
-- KEYS  jobs payloads running leases tries queued retrying completed cancelled dead outcomes stats
--       settings bell series events notes
-- ARGV
--   limit  integer  1..500  how many leases at most
-- SETTINGS  keep_completed keep_cancelled keep_dead keep_cancelled_ms keep_dead_ms keep_events
-- REPLIES
--   REAPED  now_ms:integer reaped:integer trimmed:integer more:integer   more is 1 if due ones are left
-- ERRORS  BAD_ARGUMENT BAD_KEYS UPGRADE
-- COST    O(n log m), n = leases ended and jobs forgotten, m = jobs of the queue
-- USES    integer bad_argument clock open_feed feed_job note_event next_stamp oldest_queued digits
--         note_minute keep_stamp stamps head ring forget freed_at_once trim priority_base tried
--         lease_fields cut in_json line_starts note_try backoff finish leave_running read_header
--         reap_due

-- bound by `make lua` from the header above; edit the header instead
local LEVEL = 1
local key_base, queue = string.match(KEYS[1] or "", "^([^{}]+1:{(%w[%w_.-]*)}:)jobs$")
if not key_base or #queue > 128 or #KEYS ~= 17
  or table.concat(KEYS, ",") ~= key_base .. "jobs," .. key_base .. "payloads,"
  .. key_base .. "running," .. key_base .. "leases," .. key_base .. "tries,"
  .. key_base .. "queued," .. key_base .. "retrying," .. key_base .. "completed,"
  .. key_base .. "cancelled," .. key_base .. "dead," .. key_base .. "outcomes,"
  .. key_base .. "stats," .. key_base .. "settings," .. key_base .. "bell," .. key_base .. "series,"
  .. key_base .. "events," .. key_base .. "notes"
then
  return { "BAD_KEYS", "reap takes these keys of one queue, in this order: jobs payloads running "
    .. "leases tries queued retrying completed cancelled dead outcomes stats "
    .. "settings bell series events notes" }
end
local jobs, payloads, running, leases, tries, queued, retrying, completed, cancelled, dead,
  outcomes, stats, settings, bell, series, events, notes = unpack(KEYS)
local ARGV = ARGV
-- parts: integer bad_argument clock open_feed feed_job note_event next_stamp oldest_queued digits
--   note_minute keep_stamp stamps head ring forget freed_at_once trim priority_base tried
--   lease_fields cut in_json line_starts note_try backoff finish leave_running read_header reap_due
if #ARGV ~= 1 then
  return { "BAD_ARGUMENT", "reap takes 1 argument, not " .. #ARGV }
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
local keep_completed = (in_force.keep_completed or 10000) + 0
local keep_cancelled = (in_force.keep_cancelled or 10000) + 0
local keep_dead = (in_force.keep_dead or 100000) + 0
local keep_cancelled_ms = (in_force.keep_cancelled_ms or 3600000) + 0
local keep_dead_ms = (in_force.keep_dead_ms or 7776000000) + 0
local keep_events = (in_force.keep_events or 0) + 0
-- end of bound

local now_ms, now = clock()
redis.call("HLEN", jobs)
redis.call("HLEN", payloads)
redis.call("HLEN", leases)
redis.call("HLEN", tries)
redis.call("HLEN", outcomes)
next_stamp(now)
redis.call("LLEN", bell)
redis.call("ZCARD", queued)
redis.call("ZCARD", retrying)
redis.call("ZCARD", completed)
redis.call("ZCARD", cancelled)
redis.call("ZCARD", dead)
local feed = open_feed(keep_events)
local reaped = reap_due(now_ms, now, limit, keep_dead_ms, keep_cancelled_ms, feed)
local trimmed = trim(completed, now, keep_completed, "trimmed")
  + trim(cancelled, now, keep_cancelled, "trimmed") + trim(dead, now, keep_dead, "dead_trimmed")
if reaped > 0 then ring() end
note_event(feed, "reap", keep_events)
local more = math.min(head(running), head(completed), head(cancelled), head(dead)) <= now and 1 or 0
return { "REAPED", now_ms, reaped, trimmed, more }
