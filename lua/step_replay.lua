#!lua
-- step_replay 2: queue the next jobs again of an operation that replays.
--
-- As step, which does not do this, since a full server refuses to take on work. It counts, too.
--
-- KEYS  operations jobs scheduled queued running retrying completed cancelled dead leases tries
--       outcomes stats settings bell series events
-- ARGV
--   id     name     1..128  the operation
--   limit  integer  1..500  how many jobs one step looks at
-- SETTINGS  keep_events
-- REPLIES
--   STEPPED  now_ms:integer done:integer wait_ms:integer operation:bytes   done or counted now; the
--            rate allows more after the wait
--   ENDED    now_ms:integer operation:bytes   there is nothing left to do, or it does not replay
--   UNKNOWN  now_ms:integer                   no such operation is kept
-- ERRORS  BAD_ARGUMENT BAD_KEYS UPGRADE
-- COST    O(n log m), n = jobs looked at, m = jobs of the queue
-- USES    integer name bad_argument clock time_ms open_feed note_event next_stamp oldest_queued
--         digits note_minute keep_stamp stamps ring priority_base tried replay_job cut in_json
--         set_of check_sets cursor_ok page moment_of line_starts last_error matches search
--         operation_line operation_of came_later advance

-- bound by `make lua` from the header above; edit the header instead
local LEVEL = 1
local key_base, queue = string.match(KEYS[1] or "", "^([^{}]+1:{(%w[%w_.-]*)}:)operations$")
if not key_base or #queue > 128 or #KEYS ~= 17
  or table.concat(KEYS, ",") ~= key_base .. "operations," .. key_base .. "jobs,"
  .. key_base .. "scheduled," .. key_base .. "queued," .. key_base .. "running,"
  .. key_base .. "retrying," .. key_base .. "completed," .. key_base .. "cancelled,"
  .. key_base .. "dead," .. key_base .. "leases," .. key_base .. "tries," .. key_base .. "outcomes,"
  .. key_base .. "stats," .. key_base .. "settings," .. key_base .. "bell," .. key_base .. "series,"
  .. key_base .. "events"
then
  return { "BAD_KEYS", "step_replay takes these keys of one queue, in this order: operations jobs"
    .. " scheduled queued running retrying completed cancelled dead leases tries "
    .. "outcomes stats settings bell series events" }
end
local operations, jobs, scheduled, queued, running, retrying, completed, cancelled, dead, leases,
  tries, outcomes, stats, settings, bell, series, events = unpack(KEYS)
local ARGV = ARGV
-- parts: integer name bad_argument clock time_ms open_feed note_event next_stamp oldest_queued
--   digits note_minute keep_stamp stamps ring priority_base tried replay_job cut in_json set_of
--   check_sets cursor_ok page moment_of line_starts last_error matches search operation_line
--   operation_of came_later advance
if #ARGV ~= 2 then
  return { "BAD_ARGUMENT", "step_replay takes 2 arguments, not " .. #ARGV }
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
local keep_events = (in_force.keep_events or 0) + 0
-- end of bound

local now_ms, now = clock()
local line = redis.call("HGET", operations, id)
redis.call("HLEN", jobs)
redis.call("HLEN", tries)
redis.call("HLEN", outcomes)
redis.call("HLEN", stats)
redis.call("HLEN", leases)
check_sets()
redis.call("LLEN", bell)
next_stamp(now)
local feed = open_feed(keep_events)
local op = line and operation_of(id, line)
if not op then return { "UNKNOWN", now_ms } end
if op.ended_ms or op.action ~= "replay" then return { "ENDED", now_ms, line } end

local function act(found)
  local first = stamps(now, #found)
  for i, job in ipairs(found) do replay_job(job.id, job.record, first + i - 1) end
  redis.call("HINCRBY", stats, "replayed", #found)
  ring()
  if feed then
    local ids = {}
    for i, job in ipairs(found) do ids[i] = job.id end
    feed.queued = ids
  end
  return #found
end

local done, wait = advance(op, limit, now_ms, act)
note_event(feed, "step_replay", keep_events)
return { "STEPPED", now_ms, done, wait, operation_line(op) }
