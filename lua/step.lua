#!lua flags=allow-oom
-- step 2: do the next jobs of an operation that cancels, purges or runs now; or count, for any.
--
-- Any number of drivers may call it at once: where it goes on is kept with the operation, so that each
-- job is done once, and the rate holds for all of them together. Sent again, it does the next jobs.
--
-- KEYS  operations jobs payloads scheduled queued running retrying completed cancelled dead leases
--       tries outcomes stats settings bell series events notes
-- ARGV
--   id     name     1..128  the operation
--   limit  integer  1..500  how many jobs one step looks at
-- SETTINGS  keep_cancelled keep_cancelled_ms keep_events
-- REPLIES
--   STEPPED  now_ms:integer done:integer wait_ms:integer operation:bytes   done or counted now; the
--            rate allows more after the wait
--   REPLAYS  now_ms:integer operation:bytes   it queues jobs again: step_replay does that
--   ENDED    now_ms:integer operation:bytes   there is nothing left to do
--   UNKNOWN  now_ms:integer                   no such operation is kept
-- ERRORS  BAD_ARGUMENT BAD_KEYS UPGRADE
-- COST    O(n log m), n = jobs looked at, m = jobs of the queue
-- USES    integer name bad_argument clock time_ms open_feed note_event next_stamp oldest_queued
--         digits note_minute keep_stamp stamps ring forget freed_at_once trim finish ask_to_stop
--         priority_base run_now cut in_json set_of check_sets cursor_ok page moment_of line_starts
--         last_error matches search operation_line operation_of came_later advance

-- bound by `make lua` from the header above; edit the header instead
local LEVEL = 1
local key_base, queue = string.match(KEYS[1] or "", "^([^{}]+1:{(%w[%w_.-]*)}:)operations$")
if not key_base or #queue > 128 or #KEYS ~= 19
  or table.concat(KEYS, ",") ~= key_base .. "operations," .. key_base .. "jobs,"
  .. key_base .. "payloads," .. key_base .. "scheduled," .. key_base .. "queued,"
  .. key_base .. "running," .. key_base .. "retrying," .. key_base .. "completed,"
  .. key_base .. "cancelled," .. key_base .. "dead," .. key_base .. "leases,"
  .. key_base .. "tries," .. key_base .. "outcomes," .. key_base .. "stats,"
  .. key_base .. "settings," .. key_base .. "bell," .. key_base .. "series,"
  .. key_base .. "events," .. key_base .. "notes"
then
  return { "BAD_KEYS", "step takes these keys of one queue, in this order: operations jobs "
    .. "payloads scheduled queued running retrying completed cancelled dead "
    .. "leases tries outcomes stats settings bell series events notes" }
end
local operations, jobs, payloads, scheduled, queued, running, retrying, completed, cancelled, dead,
  leases, tries, outcomes, stats, settings, bell, series, events, notes = unpack(KEYS)
local ARGV = ARGV
-- parts: integer name bad_argument clock time_ms open_feed note_event next_stamp oldest_queued
--   digits note_minute keep_stamp stamps ring forget freed_at_once trim finish ask_to_stop
--   priority_base run_now cut in_json set_of check_sets cursor_ok page moment_of line_starts
--   last_error matches search operation_line operation_of came_later advance
if #ARGV ~= 2 then
  return { "BAD_ARGUMENT", "step takes 2 arguments, not " .. #ARGV }
end
local id = name(ARGV[1], 1, 128)
if id == nil then
  return bad_argument("id",
    "1..128 letters, digits or _ . - and first a letter or digit", ARGV[1])
end
local limit = integer(ARGV[2], 1, 500)
if limit == nil then
  return bad_argument("limit", "an integer 1..500", ARGV[2])
end
local in_force = redis.call("HGETALL", settings)
for i = 1, #in_force, 2 do in_force[in_force[i]] = in_force[i + 1] end
if tonumber(in_force.needs or 1) > LEVEL then
  return { "UPGRADE", ("queue %s needs level %s, this script is %d"):format(
    queue, in_force.needs, LEVEL) }
end
local keep_cancelled = (in_force.keep_cancelled or 10000) + 0
local keep_cancelled_ms = (in_force.keep_cancelled_ms or 3600000) + 0
local keep_events = (in_force.keep_events or 0) + 0
-- end of bound

local now_ms, now = clock()
local line = redis.call("HGET", operations, id)
redis.call("HLEN", jobs)
redis.call("HLEN", payloads)
redis.call("HLEN", leases)
redis.call("HLEN", tries)
redis.call("HLEN", outcomes)
next_stamp(now)
local feed = open_feed(keep_events)
redis.call("LLEN", bell)
check_sets()
local op = line and operation_of(id, line)
if not op then return { "UNKNOWN", now_ms } end
if op.ended_ms then return { "ENDED", now_ms, line } end
if op.action == "replay" and op.status == "running" then return { "REPLAYS", now_ms, line } end

local function act(found)
  local set = set_of(op.state)
  local ids = {}
  for i, job in ipairs(found) do ids[i] = job.id end
  local first = stamps(now, #ids)
  if op.action == "run_now" then
    run_now(set, found, first)
    ring()
    if feed then feed.queued = ids end
    return #ids
  end
  if op.state == "running" then
    for _, job in ipairs(ids) do ask_to_stop(job, redis.call("HGET", leases, job)) end
    if feed then feed.asked = ids end
    return #ids
  end
  if op.action == "purge" then ids = freed_at_once(ids) end
  redis.call("ZREM", set, unpack(ids))
  if op.action == "purge" then
    forget(ids)
    redis.call("HINCRBY", stats, "purged", #ids)
    if feed then feed.purged = ids end
    return #ids
  end
  for i, job in ipairs(ids) do
    finish(cancelled, job, "cancel", false, first + i - 1, keep_cancelled_ms, now_ms)
  end
  redis.call("HINCRBY", stats, "cancelled", #ids)
  if feed then feed.cancelled = ids end
  trim(cancelled, now, keep_cancelled, "trimmed")
  return #ids
end

local done, wait = advance(op, limit, now_ms, act)
note_event(feed, "step", keep_events)
return { "STEPPED", now_ms, done, wait, operation_line(op) }
