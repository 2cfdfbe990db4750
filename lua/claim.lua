#!lua flags=allow-oom
-- claim 2: lease the most urgent, then oldest, queued jobs to one worker.
--
-- First it moves what is due: leases that ran out, delayed jobs, finished jobs past their time, 100 of
-- each; so a client that knows only enqueue, claim, ack and fail is correct. Until its lease ends a job
-- is handed to nobody else. The token is random and new for each claim; the same token again leases
-- nothing new and answers what it still holds. A job that lost a lease before is handed out alone, so
-- that one which kills its worker cannot bury its neighbours.
--
-- KEYS  queued scheduled retrying running leases claims claim_ends jobs payloads tries completed
--       cancelled dead outcomes stats settings bell series events notes
-- ARGV
--   token      name     1..64          names this claim; whoever holds it holds the leases
--   worker     text     1..128         who claims, for people
--   lease_ms   integer  100..86400000  how long the leases last
--   limit      integer  1..500         how many jobs at most
--   max_bytes  integer  1..8000000     how many bytes of jobs at most, but at least one job
-- SETTINGS  paused pause_reason keep_completed keep_cancelled keep_dead keep_cancelled_ms
--           keep_dead_ms keep_events
-- REPLIES
--   CLAIMED  now_ms:integer more:integer, then for each job, in order, one of:
--     JOB  id:text header:bytes headers:bytes payload:bytes attempt:integer failures:integer
--          lost:integer fence:integer lease_end_ms:integer queued_place:bytes   a leased job;
--          `failures` of all time, `lost` since the last replay; its score in `queued` until now
--          holds the stamp since which it was due
--   EMPTY    now_ms:integer wait_ms:integer              nothing is queued; look again after the wait
--   PAUSED   now_ms:integer wait_ms:integer reason:text  the queue hands nothing out
-- ERRORS  BAD_ARGUMENT BAD_KEYS UPGRADE
-- COST    O((n + 400) log m), n = jobs leased, m = jobs of the queue
-- USES    integer name text bad_argument add_item clock time_ms open_feed feed_job note_event
--         next_stamp oldest_queued digits note_minute keep_stamp stamps head ring forget
--         freed_at_once trim split_record priority_base promote_due tried lease_fields cut in_json
--         line_starts note_try backoff finish leave_running read_header reap_due again is_due
--         what_is_due move_due wait_ms digits_from

-- bound by `make lua` from the header above; edit the header instead
local LEVEL = 1
local WIDTH = 11
local key_base, queue = string.match(KEYS[1] or "", "^([^{}]+1:{(%w[%w_.-]*)}:)queued$")
if not key_base or #queue > 128 or #KEYS ~= 20
  or table.concat(KEYS, ",") ~= key_base .. "queued," .. key_base .. "scheduled,"
  .. key_base .. "retrying," .. key_base .. "running," .. key_base .. "leases,"
  .. key_base .. "claims," .. key_base .. "claim_ends," .. key_base .. "jobs,"
  .. key_base .. "payloads," .. key_base .. "tries," .. key_base .. "completed,"
  .. key_base .. "cancelled," .. key_base .. "dead," .. key_base .. "outcomes,"
  .. key_base .. "stats," .. key_base .. "settings," .. key_base .. "bell," .. key_base .. "series,"
  .. key_base .. "events," .. key_base .. "notes"
then
  return { "BAD_KEYS", "claim takes these keys of one queue, in this order: queued scheduled "
    .. "retrying running leases claims claim_ends jobs payloads tries completed "
    .. "cancelled dead outcomes stats settings bell series events notes" }
end
local queued, scheduled, retrying, running, leases, claims, claim_ends, jobs, payloads, tries,
  completed, cancelled, dead, outcomes, stats, settings, bell, series, events, notes = unpack(KEYS)
local ARGV = ARGV
-- parts: integer name text bad_argument add_item clock time_ms open_feed feed_job note_event
--   next_stamp oldest_queued digits note_minute keep_stamp stamps head ring forget freed_at_once
--   trim split_record priority_base promote_due tried lease_fields cut in_json line_starts note_try
--   backoff finish leave_running read_header reap_due again is_due what_is_due move_due wait_ms
--   digits_from
if #ARGV ~= 5 then
  return { "BAD_ARGUMENT", "claim takes 5 arguments, not " .. #ARGV }
end
local token = name(ARGV[1], 1, 64)
if token == nil then
  return bad_argument("token",
    "1..64 letters, digits or _ . - and first a letter or digit", ARGV[1])
end
local worker = text(ARGV[2], 1, 128)
if worker == nil then
  return bad_argument("worker", "a text of 1..128 bytes, none of them a control byte", ARGV[2])
end
local lease_ms = integer(ARGV[3], 100, 86400000)
if lease_ms == nil then
  return bad_argument("lease_ms", "an integer 100..86400000", ARGV[3])
end
local limit = integer(ARGV[4], 1, 500)
if limit == nil then
  return bad_argument("limit", "an integer 1..500", ARGV[4])
end
local max_bytes = integer(ARGV[5], 1, 8000000)
if max_bytes == nil then
  return bad_argument("max_bytes", "an integer 1..8000000", ARGV[5])
end
local in_force = redis.call("HGETALL", settings)
for i = 1, #in_force, 2 do in_force[in_force[i]] = in_force[i + 1] end
if tonumber(in_force.needs or 1) > LEVEL then
  return { "UPGRADE", ("queue %s needs level %s, this script is %d"):format(
    queue, in_force.needs, LEVEL) }
end
local paused = (in_force.paused or 0) + 0
local pause_reason = in_force.pause_reason or ""
local keep_completed = (in_force.keep_completed or 10000) + 0
local keep_cancelled = (in_force.keep_cancelled or 10000) + 0
local keep_dead = (in_force.keep_dead or 100000) + 0
local keep_cancelled_ms = (in_force.keep_cancelled_ms or 3600000) + 0
local keep_dead_ms = (in_force.keep_dead_ms or 7776000000) + 0
local keep_events = (in_force.keep_events or 0) + 0
-- end of bound

local now_ms, now = clock()
local leased_before = redis.call("HGET", claims, token)
if leased_before then
  return again({ "CLAIMED", now_ms, 0 }, WIDTH, leased_before, token, now)
end

local due = what_is_due(now)
local feed = open_feed(keep_events)
local first, minute = next_stamp(now)
if due then
  local most = { completed = keep_completed, cancelled = keep_cancelled, dead = keep_dead }
  move_due(due, now_ms, now, most, keep_dead_ms, keep_cancelled_ms, feed)
  if due.running then first, minute = next_stamp(now) end
end
if paused == 1 then
  note_event(feed, "claim", keep_events)
  return { "PAUSED", now_ms, wait_ms(now_ms, now), pause_reason }
end

-- One more than may be taken, to see whether jobs are left.
local waiting = redis.call("ZRANGE", queued, "0", limit, "WITHSCORES")
if #waiting == 0 then
  note_event(feed, "claim", keep_events)
  return { "EMPTY", now_ms, wait_ms(now_ms, now) }
end
local ids = {}
for i = 1, math.min(#waiting / 2, limit) do ids[i] = waiting[2 * i - 1] end
local records = redis.call("HMGET", jobs, unpack(ids))
-- Read a few at a time, as they are needed: with errors those of 500 jobs can be 20 MB. Often there are none.
local entries, entries_bytes, any_tried = {}, 0, redis.call("HLEN", tries) > 0
local function read_entries(at)
  local last = math.min(at + 49, #ids)
  local found = redis.call("HMGET", tries, unpack(ids, at, last))
  for i = 1, #found do
    entries[at + i - 1] = found[i]
    if found[i] then entries_bytes = entries_bytes + #found[i] end
  end
end

local lease_ends = digits_from(first + lease_ms * 512, #ids)
local begin = " " .. digits(lease_ms) .. " "
local middle, last = " " .. digits(now_ms) .. " ", " 0 " .. worker
local reply, size, missing = { "CLAIMED", now_ms, 0 }, 0, 0
-- With room for one job: a table grows by being made anew.
local ends, held, taken = { nil, nil }, { nil, nil }, { nil }
local n, last_header, retention = 0, nil, " -"
for i = 1, #ids do
  local id, record = ids[i], records[i]
  local failures, lost, failures_ever = 0, 0, 0
  if any_tried then
    if n > 0 and entries_bytes > 4000000 and entries[i] == nil then break end
    if entries[i] == nil then read_entries(i) end
    if entries[i] then failures, lost, failures_ever = tried(entries[i]) end
  end
  if not record then
    missing = missing + 1
  else
    local header, headers, payload = split_record(record)
    size = size + #record
    if not payload then size = size + redis.call("HSTRLEN", payloads, id) end
    if n > 0 and (lost > 0 or size > max_bytes) then break end
    payload = payload or redis.call("HGET", payloads, id) or ""
    if header ~= last_header then
      last_header, retention = header, " -"
      if header:find('"retention_ms":', 1, true) then
        retention = " " .. header:match('"retention_ms":(%d+)')
      end
    end
    local fence, attempt, at = first + n, failures + lost + 1, 11 * n + 3
    n = n + 1
    local nth = attempt == 1 and " 1" or (" %d"):format(attempt)
    taken[n], held[2 * n - 1] = id, id
    held[2 * n] = token .. retention .. begin .. lease_ends[n] .. nth .. middle
      .. waiting[2 * i] .. last
    reply[at + 1], reply[at + 2], reply[at + 3] = "JOB", id, header
    reply[at + 4], reply[at + 5], reply[at + 6] = headers, payload, attempt
    reply[at + 7], reply[at + 8], reply[at + 9] = failures_ever, lost, fence
    reply[at + 10], reply[at + 11] = time_ms(fence + lease_ms * 512), waiting[2 * i]
    if lost > 0 then break end
  end
end

local left = #waiting / 2 > n + missing
local unheard = left and redis.call("LLEN", bell)
if n > 0 then
  -- What is written first needs no look before: where that fails, nothing was written.
  redis.call("HSET", leases, unpack(held))
  keep_stamp(first + n - 1, minute)
end
redis.call("ZREMRANGEBYRANK", queued, "0", n + missing - 1)
if missing > 0 then redis.call("HINCRBY", stats, "missing", missing) end
if feed then feed.running = taken[1] and taken end
note_event(feed, "claim", keep_events)
if n == 0 then return { "EMPTY", now_ms, 0 } end
-- The last first, as in enqueue.
for i = n, 1, -1 do
  local at = 2 * (n - i)
  ends[at + 1], ends[at + 2] = lease_ends[i], taken[i]
end
redis.call("ZADD", running, unpack(ends))
redis.call("HSET", claims, token, table.concat(taken, " "))
redis.call("ZADD", claim_ends, lease_ends[n], token)
if left then
  reply[3] = 1
  ring(unheard)
end
return reply
