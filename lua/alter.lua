#!lua flags=allow-oom
-- alter 2: change the priority of jobs that rest, or when they are due.
--
-- A queued job that changes its priority keeps its turn by the time it came. Due at once, a delayed
-- job is queued as by promote, with the turn of its due time or of now, whichever is earlier; due
-- later, a queued one is scheduled. The header tells the new priority, so that a later release,
-- promote or replay goes by it. With a `place`, the job is changed only if it is still there.
-- Asking again is harmless: a job that has left the place and is as it was asked to be, within a
-- minute of when it was to be due, answers ALREADY; without a place, a delay counts from now again.
--
-- KEYS  jobs scheduled queued running retrying completed cancelled dead leases stats settings bell
--       series events
-- EACH  1..500
--   id        name      1..128           the job
--   priority  integer?  0..9             its priority from now on; empty: as it is
--   delay_ms  integer?  0..315360000000  due so long from now, 0 at once; empty: as it is
--   place     text      0..128           where inspect or list saw it; empty: wherever it is
-- SETTINGS  keep_events
-- REPLIES
--   ALTERED  now_ms:integer, then for each job, in order, one of:
--     CHANGED   place:text   it is as asked now, and is there
--     ALREADY   place:text   it has left the place given, and is as asked: nothing was changed
--     MOVED     place:text   it has left the place given, and is there: nothing was changed
--     RUNNING   place:text   it runs: nothing was changed
--     FINISHED  place:text   it has ended: nothing was changed
--     UNKNOWN   nothing is kept of such a job
-- ERRORS  BAD_ARGUMENT BAD_KEYS UPGRADE
-- COST    O(n log m), n = jobs given, m = jobs of the queue
-- USES    integer name text bad_argument add_item clock open_feed feed_job note_event next_stamp
--         oldest_queued digits note_minute keep_stamp stamps head ring states_of set_of place_of
--         with_priority

-- bound by `make lua` from the header above; edit the header instead
local LEVEL = 1
local WIDTH = 2
local key_base, queue = string.match(KEYS[1] or "", "^([^{}]+1:{(%w[%w_.-]*)}:)jobs$")
if not key_base or #queue > 128 or #KEYS ~= 14
  or table.concat(KEYS, ",") ~= key_base .. "jobs," .. key_base .. "scheduled,"
  .. key_base .. "queued," .. key_base .. "running," .. key_base .. "retrying,"
  .. key_base .. "completed," .. key_base .. "cancelled," .. key_base .. "dead,"
  .. key_base .. "leases," .. key_base .. "stats," .. key_base .. "settings," .. key_base .. "bell,"
  .. key_base .. "series," .. key_base .. "events"
then
  return { "BAD_KEYS", "alter takes these keys of one queue, in this order: jobs scheduled queued"
    .. " running retrying completed cancelled dead leases stats settings bell "
    .. "series events" }
end
local jobs, scheduled, queued, running, retrying, completed, cancelled, dead, leases, stats,
  settings, bell, series, events = unpack(KEYS)
local ARGV = ARGV
-- parts: integer name text bad_argument add_item clock open_feed feed_job note_event next_stamp
--   oldest_queued digits note_minute keep_stamp stamps head ring states_of set_of place_of
--   with_priority
local count = #ARGV / 4
if count < 1 or count > 500 or count % 1 ~= 0 then
  return { "BAD_ARGUMENT", "alter takes 4 arguments for each of 1..500 items, not " .. #ARGV }
end
local id, priority, delay_ms, place = { nil }, { nil }, { nil }, { nil }
for nth = 1, count do
  local at = 4 * nth - 4
  local given = ARGV[at + 1]
  if not name(given, 1, 128) then
    return bad_argument(("item %d: id"):format(nth),
      "1..128 letters, digits or _ . - and first a letter or digit", given)
  end
  id[nth] = given
  given = ARGV[at + 2]
  priority[nth] = given ~= "" and integer(given, 0, 9)
  if priority[nth] == nil then
    return bad_argument(("item %d: priority"):format(nth), "an integer 0..9, or empty", given)
  end
  given = ARGV[at + 3]
  delay_ms[nth] = given ~= "" and integer(given, 0, 315360000000)
  if delay_ms[nth] == nil then
    return bad_argument(("item %d: delay_ms"):format(nth),
      "an integer 0..315360000000, or empty", given)
  end
  given = ARGV[at + 4]
  if not text(given, 0, 128) then
    return bad_argument(("item %d: place"):format(nth),
      "a text of 0..128 bytes, none of them a control byte", given)
  end
  place[nth] = given
end
local in_force = redis.call("HGETALL", settings)
for i = 1, #in_force, 2 do in_force[in_force[i]] = in_force[i + 1] end
if tonumber(in_force.needs or 1) > LEVEL then
  return { "UPGRADE", ("queue %s needs level %s, this script is %d"):format(
    queue, in_force.needs, LEVEL) }
end
local keep_events = (in_force.keep_events or 0) + 0
-- end of bound

for i = 1, count do
  if not priority[i] and not delay_ms[i] then
    return bad_argument(("item %d"):format(i), "given a priority or a delay_ms")
  end
end

local now_ms, now = clock()
local states, scores = states_of(id)
local records = redis.call("HMGET", jobs, unpack(id))
local held = redis.call("HMGET", leases, unpack(id))
redis.call("LLEN", bell)
next_stamp(now)
local feed = open_feed(keep_events)
local earliest = { scheduled = head(scheduled), retrying = head(retrying) }
local facts, to_ring, first = {}, false, nil
for i = 1, count do
  if records[i] and states[i] then
    local cancel = (held[i] or ""):match("^%S+ %S+ %d+ %d+ %d+ %d+ %S+ (%d)")
    facts[id[i]] = {
      state = states[i], score = scores[i], record = records[i], cancel = cancel,
      priority = tonumber(records[i]:match('^[^\n]*"priority":(%d)') or default.job_priority),
    }
  end
end

local function place_now(job)
  return place_of(job.state, job.score, job.record:match("^[^\n]*"), job.cancel)
end

local function as_asked(i, job)
  if priority[i] and priority[i] ~= job.priority then return false end
  if not delay_ms[i] then return true end
  if delay_ms[i] == 0 then return job.state == "queued" end
  local due = now + delay_ms[i] * 512
  return job.state ~= "queued" and job.score <= due and job.score > due - 60000 * 512
end

-- The state and the score that the job is to have.
local function asked_of(i, job, stamp)
  local base = (9 - (priority[i] or job.priority)) * 562949953421312
  if delay_ms[i] and delay_ms[i] > 0 then
    return job.state == "queued" and "scheduled" or job.state, stamp + delay_ms[i] * 512
  end
  if job.state == "queued" then return "queued", base + job.score % 562949953421312 end
  if delay_ms[i] then return "queued", base + math.min(job.score, stamp) end
  return job.state, job.score
end

local function change(i, job, stamp)
  local state, score = asked_of(i, job, stamp)
  if priority[i] and priority[i] ~= job.priority then
    job.priority, job.record = priority[i], with_priority(job.record, priority[i])
    redis.call("HSET", jobs, id[i], job.record)
  end
  if state ~= job.state then
    local set = set_of(job.state)
    redis.call("ZREM", set, id[i])
  end
  if state ~= job.state or score ~= job.score then
    local set = set_of(state)
    redis.call("ZADD", set, ("%.0f"):format(score), id[i])
  end
  to_ring = to_ring or state == "queued" and job.state ~= "queued"
    or state ~= "queued" and score < earliest[state]
  job.state, job.score = state, score
end

local reply = { "ALTERED", now_ms }
for i = 1, count do
  local job = facts[id[i]]
  local moved = job and place[i] ~= "" and place[i] ~= place_now(job)
  local rests = job and (job.state == "scheduled" or job.state == "queued"
    or job.state == "retrying")
  local word = "CHANGED"
  if not job then
    word = "UNKNOWN"
  elseif moved then
    word = rests and as_asked(i, job) and "ALREADY" or "MOVED"
  elseif not rests then
    word = job.state == "running" and "RUNNING" or "FINISHED"
  else
    if delay_ms[i] and (delay_ms[i] > 0 or job.state ~= "queued") then
      first = first or stamps(now, count)
    end
    change(i, job, first and first + i - 1)
    feed_job(feed, job.state, id[i])
  end
  add_item(reply, WIDTH, { word, job and place_now(job) })
end
if to_ring then ring() end
note_event(feed, "alter", keep_events)
return reply
