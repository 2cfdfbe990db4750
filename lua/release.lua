#!lua flags=allow-oom
-- release 2: give leased jobs back unharmed: no attempt is used.
--
-- Without a delay a job returns to its old place in the queue, with one it is scheduled. A job whose
-- cancel was asked ends here. Asking again is harmless.
--
-- KEYS  jobs payloads running leases tries queued scheduled cancelled outcomes stats settings bell
--       series events notes
-- ARGV
--   told  bytes?  1..2600000  of handlers, for each that tells something: a line `item lines before progress
--         text`, then so many lines of its log, 4096 bytes at most: item counts from 1; before is how
--         many lines it told before in this attempt, or -; progress is 0 to 1, or -; text 200 bytes
-- EACH  1..500
--   id        name     1..128           the job
--   token     name     1..64            the claim under which it is held
--   delay_ms  integer  0..315360000000  how long it rests before it is queued again
-- SETTINGS  keep_cancelled keep_cancelled_ms keep_events
-- REPLIES
--   RELEASED  now_ms:integer, then for each job, in order, one of:
--     BACK        given back now
--     CANCELLED   a cancel had been asked
--     ALREADY     this lease had given it back before
--     LEASE_LOST  the lease ran out, or was never held
--     UNKNOWN     nothing is kept of such a job
-- ERRORS  BAD_ARGUMENT BAD_KEYS UPGRADE
-- COST    O(n log m), n = jobs given, m = jobs of the queue
-- USES    integer name bad_argument clock open_feed feed_job note_event next_stamp oldest_queued
--         digits note_minute keep_stamp stamps head ring forget freed_at_once trim tried
--         lease_fields is_due held not_held cut in_json line_starts note_try finish leave_running
--         read_told keep_notes

-- bound by `make lua` from the header above; edit the header instead
local LEVEL = 1
local key_base, queue = string.match(KEYS[1] or "", "^([^{}]+1:{(%w[%w_.-]*)}:)jobs$")
if not key_base or #queue > 128 or #KEYS ~= 15
  or table.concat(KEYS, ",") ~= key_base .. "jobs," .. key_base .. "payloads,"
  .. key_base .. "running," .. key_base .. "leases," .. key_base .. "tries,"
  .. key_base .. "queued," .. key_base .. "scheduled," .. key_base .. "cancelled,"
  .. key_base .. "outcomes," .. key_base .. "stats," .. key_base .. "settings,"
  .. key_base .. "bell," .. key_base .. "series," .. key_base .. "events," .. key_base .. "notes"
then
  return { "BAD_KEYS", "release takes these keys of one queue, in this order: jobs payloads "
    .. "running leases tries queued scheduled cancelled outcomes stats settings "
    .. "bell series events notes" }
end
local jobs, payloads, running, leases, tries, queued, scheduled, cancelled, outcomes, stats,
  settings, bell, series, events, notes = unpack(KEYS)
local ARGV = ARGV
-- parts: integer name bad_argument clock open_feed feed_job note_event next_stamp oldest_queued
--   digits note_minute keep_stamp stamps head ring forget freed_at_once trim tried lease_fields
--   is_due held not_held cut in_json line_starts note_try finish leave_running read_told keep_notes
local count = (#ARGV - 1) / 3
if count < 1 or count > 500 or count % 1 ~= 0 then
  return { "BAD_ARGUMENT", "release takes 1 argument and then 3 for each of 1..500 "
    .. "items, not " .. #ARGV }
end
local told = ARGV[1] ~= "" and (#ARGV[1] >= 1 and #ARGV[1] <= 2600000 and ARGV[1] or nil)
if told == nil then
  return bad_argument("told", "1..2600000 bytes long, or empty", ARGV[1])
end
local id, token, delay_ms = { nil }, { nil }, { nil }
for nth = 1, count do
  local at = 3 * nth - 2
  local given = ARGV[at + 1]
  if not name(given, 1, 128) then
    return bad_argument(("item %d: id"):format(nth),
      "1..128 letters, digits or _ . - and first a letter or digit", given)
  end
  id[nth] = given
  given = ARGV[at + 2]
  if given ~= token[nth - 1] and not name(given, 1, 64) then
    return bad_argument(("item %d: token"):format(nth),
      "1..64 letters, digits or _ . - and first a letter or digit", given)
  end
  token[nth] = given
  given = ARGV[at + 3]
  delay_ms[nth] = integer(given, 0, 315360000000)
  if delay_ms[nth] == nil then
    return bad_argument(("item %d: delay_ms"):format(nth), "an integer 0..315360000000", given)
  end
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

local told_of = {}
if told then
  told_of = read_told(told, count)
  if not told_of then return bad_argument("told", "of the form that is documented", told) end
  redis.call("HLEN", notes)
end

local now_ms, now = clock()
local lease = held(id, token, now)
redis.call("HLEN", jobs)
redis.call("HLEN", payloads)
redis.call("HLEN", tries)
redis.call("HLEN", outcomes)
redis.call("ZCARD", queued)
local feed = open_feed(keep_events)
redis.call("ZCARD", cancelled)
redis.call("LLEN", bell)
local earliest, to_ring = head(scheduled), false

local function give_back(i, stamp)
  local job = id[i]
  local _, _, _, attempt, _, place, cancel = lease_fields(lease[i])
  note_try(job, token[i], "release", 0, 0)
  if told_of[i] then keep_notes(job, attempt, told_of[i], now_ms) end
  leave_running(job)
  if cancel == "1" then
    finish(cancelled, job, "release", lease[i], stamp, keep_cancelled_ms, now_ms)
    redis.call("HINCRBY", stats, "cancelled", "1")
    feed_job(feed, "cancelled", job)
    return "CANCELLED"
  end
  if delay_ms[i] == 0 then
    redis.call("ZADD", queued, place, job)
    to_ring = true
  else
    redis.call("ZADD", scheduled, ("%.0f"):format(stamp + delay_ms[i] * 512), job)
    to_ring = to_ring or stamp + delay_ms[i] * 512 < earliest
  end
  feed_job(feed, delay_ms[i] == 0 and "queued" or "scheduled", job)
  return "BACK"
end

local reply, ended, first = { "RELEASED", now_ms }, {}, nil
for i = 1, count do
  if ended[id[i]] or not lease[i] then
    reply[i + 2] = "" -- told below, as if sent after the others
  else
    first = first or stamps(now, count)
    ended[id[i]], reply[i + 2] = true, give_back(i, first + i - 1)
  end
end
if first then trim(cancelled, now, keep_cancelled, "trimmed") end
if to_ring then ring() end
note_event(feed, "release", keep_events)
for i = 1, count do
  if reply[i + 2] == "" then reply[i + 2] = not_held(id[i], token[i], "release") end
end
return reply
