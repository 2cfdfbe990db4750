#!lua flags=allow-oom
-- operate 2: begin to do something to all jobs of a state that a filter asks for.
--
-- What is begun is an operation, kept with the queue: anybody may drive it by `step`, look at it by
-- `operations` and end it by `stop`. Jobs that come into the state after its start are not touched. A
-- dry run only counts. Where an expected count is given the jobs are counted first, in steps, too, and
-- nothing is done if there are more or fewer. Of 100 that are kept the first to have ended goes; those
-- that ended a week ago go at the next start. The same id again begins nothing.
--
-- KEYS  operations scheduled queued running retrying completed cancelled dead stats settings
--       series
-- ARGV
--   id        name      1..128           made by the caller before the first send
--   action    word      replay|cancel|purge|run_now  replay: dead; cancel: all that have not ended;
--             purge: any that rest; run_now: scheduled, retrying
--   state     word      scheduled|queued|running|retrying|completed|cancelled|dead  which jobs
--   type      type?     1..128           only those of this type; empty: any
--   error     bytes?    1..200           only those whose last error is of this type; empty: any
--   worker    text?     1..128           only those that it holds (running) or ended; empty: any
--   since_ms  integer?  0..9007199254740991  only from this time on, as in list; empty: any
--   until_ms  integer?  0..9007199254740991  only before this time; empty: any
--   dry_run   integer   0..1             1: only count
--   expected  integer?  0..9007199254740991  how many there must be; empty: however many
--   rate      integer   0..100000        jobs a second at most; 0: as fast as it is driven
--   by        text?     1..128           who, for people
-- REPLIES
--   STARTED  now_ms:integer operation:bytes   begun now; one line of JSON
--   KNOWN    now_ms:integer operation:bytes   one of this id is kept: nothing was changed
--   DIFFERS  now_ms:integer counted:integer   not as many as expected, seen at once where all are
--            asked for
--   BUSY     now_ms:integer                   100 are kept, and none of them has ended
-- ERRORS  BAD_ARGUMENT BAD_KEYS UPGRADE
-- COST    O(log m), m = jobs of the queue
-- USES    integer kind text bad_argument clock next_stamp oldest_queued digits note_minute
--         keep_stamp set_of check_sets cursor_ok operation_line operation_of

-- bound by `make lua` from the header above; edit the header instead
local LEVEL = 1
local key_base, queue = string.match(KEYS[1] or "", "^([^{}]+1:{(%w[%w_.-]*)}:)operations$")
if not key_base or #queue > 128 or #KEYS ~= 11
  or table.concat(KEYS, ",") ~= key_base .. "operations," .. key_base .. "scheduled,"
  .. key_base .. "queued," .. key_base .. "running," .. key_base .. "retrying,"
  .. key_base .. "completed," .. key_base .. "cancelled," .. key_base .. "dead,"
  .. key_base .. "stats," .. key_base .. "settings," .. key_base .. "series"
then
  return { "BAD_KEYS", "operate takes these keys of one queue, in this order: operations "
    .. "scheduled queued running retrying completed cancelled dead stats settings"
    .. " series" }
end
local operations, scheduled, queued, running, retrying, completed, cancelled, dead, stats, settings,
  series = unpack(KEYS)
local ARGV = ARGV
-- parts: name integer kind text bad_argument clock next_stamp oldest_queued digits note_minute
--   keep_stamp set_of check_sets cursor_ok operation_line operation_of
if #ARGV ~= 12 then
  return { "BAD_ARGUMENT", "operate takes 12 arguments, not " .. #ARGV }
end
local id = name(ARGV[1], 1, 128)
if id == nil then
  return bad_argument("id",
    "1..128 letters, digits or _ . - and first a letter or digit", ARGV[1])
end
local action = ARGV[2]
if action ~= "replay" and action ~= "cancel" and action ~= "purge" and action ~= "run_now" then
  return bad_argument("action", "one of replay, cancel, purge, run_now", ARGV[2])
end
local state = ARGV[3]
if state ~= "scheduled" and state ~= "queued" and state ~= "running" and state ~= "retrying" and
  state ~= "completed" and state ~= "cancelled" and state ~= "dead" then
  return bad_argument("state",
    "one of scheduled, queued, running, retrying, completed, cancelled, dead", ARGV[3])
end
local type = ARGV[4] ~= "" and kind(ARGV[4], 1, 128)
if type == nil then
  return bad_argument("type",
    "1..128 letters, digits or _ . : - and first a letter or digit, or empty", ARGV[4])
end
local error = ARGV[5] ~= "" and (#ARGV[5] >= 1 and #ARGV[5] <= 200 and ARGV[5] or nil)
if error == nil then
  return bad_argument("error", "1..200 bytes long, or empty", ARGV[5])
end
local worker = ARGV[6] ~= "" and text(ARGV[6], 1, 128)
if worker == nil then
  return bad_argument("worker",
    "a text of 1..128 bytes, none of them a control byte, or empty", ARGV[6])
end
local since_ms = ARGV[7] ~= "" and integer(ARGV[7], 0, 9007199254740991)
if since_ms == nil then
  return bad_argument("since_ms", "an integer 0..9007199254740991, or empty", ARGV[7])
end
local until_ms = ARGV[8] ~= "" and integer(ARGV[8], 0, 9007199254740991)
if until_ms == nil then
  return bad_argument("until_ms", "an integer 0..9007199254740991, or empty", ARGV[8])
end
local dry_run = integer(ARGV[9], 0, 1)
if dry_run == nil then
  return bad_argument("dry_run", "an integer 0..1", ARGV[9])
end
local expected = ARGV[10] ~= "" and integer(ARGV[10], 0, 9007199254740991)
if expected == nil then
  return bad_argument("expected", "an integer 0..9007199254740991, or empty", ARGV[10])
end
local rate = integer(ARGV[11], 0, 100000)
if rate == nil then
  return bad_argument("rate", "an integer 0..100000", ARGV[11])
end
local by = ARGV[12] ~= "" and text(ARGV[12], 1, 128)
if by == nil then
  return bad_argument("by",
    "a text of 1..128 bytes, none of them a control byte, or empty", ARGV[12])
end
local in_force = { needs = redis.call("HGET", settings, "needs") }
if tonumber(in_force.needs or 1) > LEVEL then
  return { "UPGRADE", ("queue %s needs level %s, this script is %d"):format(
    queue, in_force.needs, LEVEL) }
end
-- end of bound

local may = {
  replay = "dead", cancel = "scheduled queued running retrying", run_now = "scheduled retrying",
  purge = "scheduled queued retrying completed cancelled dead",
}
if not may[action]:find(state, 1, true) then
  return bad_argument("state", "one of " .. may[action] .. " for " .. action, state)
end

local now_ms, now = clock()
check_sets()
local set = set_of(state)
local total = redis.call("ZCARD", set)
local stamp, minute = next_stamp(now)
local known = redis.call("HGET", operations, id)
if known then return { "KNOWN", now_ms, known } end

local every, ended, gone = redis.call("HGETALL", operations), {}, {}
for i = 1, #every, 2 do
  local other = operation_of(every[i], every[i + 1])
  if other and other.ended_ms then ended[#ended + 1] = other end
end
table.sort(ended, function(a, b) return a.ended_ms < b.ended_ms end)
for _, other in ipairs(ended) do
  local kept = #every / 2 - #gone
  if kept >= 100 or other.ended_ms < now_ms - 604800000 then gone[#gone + 1] = other.id end
end
if #every / 2 - #gone >= 100 then return { "BUSY", now_ms } end
local all = not type and not error and not worker and not since_ms and not until_ms
if all and dry_run == 0 and expected and expected ~= total then
  return { "DIFFERS", now_ms, total }
end

keep_stamp(stamp, minute)
if #gone > 0 then redis.call("HDEL", operations, unpack(gone)) end
local line = operation_line({
  id = id, action = action, state = state, type = type or "", error = error or "",
  worker = worker or "", by = by or "",
  status = (dry_run == 1 or expected and not all) and "counting" or "running",
  -- An extend moves a job on past where the set ended at the start: such a sweep goes to its very end.
  cursor = state == "running" and ("%.0f 562949953421312 0 0"):format(now_ms) or "",
  dry_run = dry_run, since_ms = since_ms, until_ms = until_ms, rate = rate, expected = expected,
  as_of = stamp, started_ms = now_ms, total = total, looked_at = 0, counted = 0, done = 0,
  skipped = 0, paced_us = now_ms * 1000,
})
redis.call("HSET", operations, id, line)
return { "STARTED", now_ms, line }
