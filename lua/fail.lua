#!lua flags=allow-oom
-- fail 2: report jobs whose work failed: they are tried again later, or are dead.
--
-- Each failure uses one attempt. The pause grows with the failures since the last replay, unless the
-- handler names its own. As with ack, only who still holds the lease is heard, and asking again is
-- harmless. A job whose cancel was asked ends here.
--
-- KEYS  jobs payloads running leases tries retrying dead cancelled outcomes stats settings bell
--       queued series events notes
-- ARGV
--   told  bytes?  1..2600000  of handlers, for each that tells something: a line `item lines before progress
--         text`, then so many lines of its log, 4096 bytes at most: item counts from 1; before is how
--         many lines it told before in this attempt, or -; progress is 0 to 1, or -; text 200 bytes
-- EACH  1..500
--   id        name      1..128           the job
--   token     name      1..64            the claim under which it is held
--   error     bytes     0..100000        the kind of error; 200 bytes of it are kept
--   message   bytes     0..1000000       what went wrong; 1000 bytes of it are kept
--   stack     bytes     0..1000000       where; 2800 bytes of it are kept
--   delay_ms  integer?  0..315360000000  the pause before the next try; empty: by the job's backoff
--   final     integer   0..1             1: never again, the job is dead
-- SETTINGS  keep_dead keep_dead_ms keep_cancelled keep_cancelled_ms keep_events
-- REPLIES
--   FAILED  now_ms:integer, then for each job, in order, one of:
--     RETRYING    run_at_ms:integer   it is tried again then
--     DEAD        its attempts are used up, or it was final
--     CANCELLED   a cancel had been asked
--     ALREADY     this lease had failed it before
--     LEASE_LOST  the lease ran out, or was never held
--     UNKNOWN     nothing is kept of such a job
-- ERRORS  BAD_ARGUMENT BAD_KEYS TOO_LARGE UPGRADE
-- COST    O(n log m), n = jobs given, m = jobs of the queue
-- USES    integer name bad_argument add_item clock time_ms open_feed feed_job note_event next_stamp
--         oldest_queued digits note_minute keep_stamp stamps head ring forget freed_at_once trim
--         tried lease_fields is_due held not_held cut in_json line_starts note_try backoff finish
--         leave_running read_header read_told keep_notes

-- bound by `make lua` from the header above; edit the header instead
local LEVEL = 1
local WIDTH = 2
local key_base, queue = string.match(KEYS[1] or "", "^([^{}]+1:{(%w[%w_.-]*)}:)jobs$")
if not key_base or #queue > 128 or #KEYS ~= 16
  or table.concat(KEYS, ",") ~= key_base .. "jobs," .. key_base .. "payloads,"
  .. key_base .. "running," .. key_base .. "leases," .. key_base .. "tries,"
  .. key_base .. "retrying," .. key_base .. "dead," .. key_base .. "cancelled,"
  .. key_base .. "outcomes," .. key_base .. "stats," .. key_base .. "settings,"
  .. key_base .. "bell," .. key_base .. "queued," .. key_base .. "series," .. key_base .. "events,"
  .. key_base .. "notes"
then
  return { "BAD_KEYS", "fail takes these keys of one queue, in this order: jobs payloads running "
    .. "leases tries retrying dead cancelled outcomes stats settings bell queued "
    .. "series events notes" }
end
local jobs, payloads, running, leases, tries, retrying, dead, cancelled, outcomes, stats, settings,
  bell, queued, series, events, notes = unpack(KEYS)
local ARGV = ARGV
-- parts: integer name bad_argument add_item clock time_ms open_feed feed_job note_event next_stamp
--   oldest_queued digits note_minute keep_stamp stamps head ring forget freed_at_once trim tried
--   lease_fields is_due held not_held cut in_json line_starts note_try backoff finish leave_running
--   read_header read_told keep_notes
local count = (#ARGV - 1) / 7
if count < 1 or count > 500 or count % 1 ~= 0 then
  return { "BAD_ARGUMENT", "fail takes 1 argument and then 7 for each of 1..500 items, "
    .. "not " .. #ARGV }
end
local told = ARGV[1] ~= "" and (#ARGV[1] >= 1 and #ARGV[1] <= 2600000 and ARGV[1] or nil)
if told == nil then
  return bad_argument("told", "1..2600000 bytes long, or empty", ARGV[1])
end
local id, token, error, message, stack, delay_ms, final = { nil }, { nil }, { nil }, { nil }, { nil
  }, { nil }, { nil }
local total_bytes = 0
for nth = 1, count do
  local at = 7 * nth - 6
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
  if #given > 100000 then
    return bad_argument(("item %d: error"):format(nth), "0..100000 bytes long", given)
  end
  error[nth] = given
  total_bytes = total_bytes + #given
  given = ARGV[at + 4]
  if #given > 1000000 then
    return bad_argument(("item %d: message"):format(nth), "0..1000000 bytes long", given)
  end
  message[nth] = given
  total_bytes = total_bytes + #given
  given = ARGV[at + 5]
  if #given > 1000000 then
    return bad_argument(("item %d: stack"):format(nth), "0..1000000 bytes long", given)
  end
  stack[nth] = given
  total_bytes = total_bytes + #given
  given = ARGV[at + 6]
  delay_ms[nth] = given ~= "" and integer(given, 0, 315360000000)
  if delay_ms[nth] == nil then
    return bad_argument(("item %d: delay_ms"):format(nth),
      "an integer 0..315360000000, or empty", given)
  end
  given = ARGV[at + 7]
  final[nth] = integer(given, 0, 1)
  if final[nth] == nil then
    return bad_argument(("item %d: final"):format(nth), "an integer 0..1", given)
  end
end
if total_bytes > 8388608 then
  return { "TOO_LARGE", "fail takes at most 8388608 bytes in one call, not " .. total_bytes }
end
local in_force = redis.call("HGETALL", settings)
for i = 1, #in_force, 2 do in_force[in_force[i]] = in_force[i + 1] end
if tonumber(in_force.needs or 1) > LEVEL then
  return { "UPGRADE", ("queue %s needs level %s, this script is %d"):format(
    queue, in_force.needs, LEVEL) }
end
local keep_dead = (in_force.keep_dead or 100000) + 0
local keep_dead_ms = (in_force.keep_dead_ms or 7776000000) + 0
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
local records = redis.call("HMGET", jobs, unpack(id))
redis.call("HLEN", payloads)
redis.call("HLEN", tries)
redis.call("HLEN", outcomes)
local feed = open_feed(keep_events)
redis.call("ZCARD", dead)
redis.call("ZCARD", cancelled)
redis.call("LLEN", bell)
local earliest, first_retry = head(retrying), math.huge

local function fail(i, stamp)
  local job = id[i]
  local _, _, _, attempt, _, _, cancel, worker = lease_fields(lease[i])
  local header = read_header(records[i])
  local failures = note_try(job, token[i], "fail", 1, 0, {
    type = error[i], message = message[i], stack = stack[i], worker = worker, at_ms = now_ms,
  })
  if told_of[i] then keep_notes(job, attempt, told_of[i], now_ms) end
  leave_running(job)
  redis.call("HINCRBY", stats, "failed", "1")
  if cancel == "1" then
    finish(cancelled, job, "fail", lease[i], stamp, keep_cancelled_ms, now_ms)
    redis.call("HINCRBY", stats, "cancelled", "1")
    feed_job(feed, "cancelled", job)
    return { "CANCELLED" }
  end
  if final[i] == 1 or failures >= (header.max_attempts or default.job_max_attempts) then
    finish(dead, job, "fail", lease[i], stamp, keep_dead_ms, now_ms)
    redis.call("HINCRBY", stats, "died", "1")
    feed_job(feed, "dead", job)
    return { "DEAD" }
  end
  local run_at = stamp + (delay_ms[i] or backoff(header, failures, job, now_ms)) * 512
  redis.call("ZADD", retrying, ("%.0f"):format(run_at), job)
  first_retry = math.min(first_retry, run_at)
  feed_job(feed, "retrying", job)
  return { "RETRYING", time_ms(run_at) }
end

local reply, ended, first = { "FAILED", now_ms }, {}, nil
for i = 1, count do
  if ended[id[i]] or not lease[i] or not records[i] then
    add_item(reply, WIDTH, {}) -- told below, as if sent after the others
  else
    first = first or stamps(now, count)
    ended[id[i]] = true
    add_item(reply, WIDTH, fail(i, first + i - 1))
  end
end
if first then
  trim(dead, now, keep_dead, "dead_trimmed")
  trim(cancelled, now, keep_cancelled, "trimmed")
  if first_retry < earliest then ring() end
  note_event(feed, "fail", keep_events)
end
for i = 1, count do
  local at = WIDTH * (i - 1) + 3
  if reply[at] == "" then reply[at] = not_held(id[i], token[i], "fail") end
end
return reply
