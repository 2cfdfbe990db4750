#!lua flags=allow-oom
-- cancel 2: take jobs out before they run, or ask those that run to stop.
--
-- A running job is told by extend; whatever ends its lease then ends it cancelled, except an ack, which
-- wins. Asking again is harmless.
--
-- KEYS  jobs payloads scheduled queued running retrying completed cancelled dead leases tries
--       outcomes stats settings series events notes
-- EACH  1..500
--   id  name  1..128  the job
-- SETTINGS  keep_cancelled keep_cancelled_ms keep_events
-- REPLIES
--   CANCELLED  now_ms:integer, then for each job, in order, one of:
--     GONE      cancelled now
--     ASKED     it runs: its worker is told
--     ALREADY   it was cancelled before
--     FINISHED  state:text   it has ended: completed or dead
--     UNKNOWN   nothing is kept of such a job
-- ERRORS  BAD_ARGUMENT BAD_KEYS UPGRADE
-- COST    O(n log m), n = jobs given, m = jobs of the queue
-- USES    name bad_argument add_item clock open_feed feed_job note_event next_stamp oldest_queued
--         digits note_minute keep_stamp stamps forget freed_at_once trim finish ask_to_stop
--         states_of set_of

-- bound by `make lua` from the header above; edit the header instead
local LEVEL = 1
local WIDTH = 2
local key_base, queue = string.match(KEYS[1] or "", "^([^{}]+1:{(%w[%w_.-]*)}:)jobs$")
if not key_base or #queue > 128 or #KEYS ~= 17
  or table.concat(KEYS, ",") ~= key_base .. "jobs," .. key_base .. "payloads,"
  .. key_base .. "scheduled," .. key_base .. "queued," .. key_base .. "running,"
  .. key_base .. "retrying," .. key_base .. "completed," .. key_base .. "cancelled,"
  .. key_base .. "dead," .. key_base .. "leases," .. key_base .. "tries," .. key_base .. "outcomes,"
  .. key_base .. "stats," .. key_base .. "settings," .. key_base .. "series,"
  .. key_base .. "events," .. key_base .. "notes"
then
  return { "BAD_KEYS", "cancel takes these keys of one queue, in this order: jobs payloads "
    .. "scheduled queued running retrying completed cancelled dead leases tries "
    .. "outcomes stats settings series events notes" }
end
local jobs, payloads, scheduled, queued, running, retrying, completed, cancelled, dead, leases,
  tries, outcomes, stats, settings, series, events, notes = unpack(KEYS)
local ARGV = ARGV
-- parts: name bad_argument add_item clock open_feed feed_job note_event next_stamp oldest_queued
--   digits note_minute keep_stamp stamps forget freed_at_once trim finish ask_to_stop states_of
--   set_of
local count = #ARGV
if count < 1 or count > 500 then
  return { "BAD_ARGUMENT", "cancel takes 1 arguments for each of 1..500 items, not " .. #ARGV }
end
local id = { nil }
for nth = 1, count do
  local at = nth - 1
  local given = ARGV[at + 1]
  if not name(given, 1, 128) then
    return bad_argument(("item %d: id"):format(nth),
      "1..128 letters, digits or _ . - and first a letter or digit", given)
  end
  id[nth] = given
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
local state = states_of(id)
redis.call("HLEN", jobs)
redis.call("HLEN", payloads)
redis.call("HLEN", tries)
redis.call("HLEN", outcomes)
local feed = open_feed(keep_events)
next_stamp(now)
local lease = redis.call("HMGET", leases, unpack(id))
local reply, cancelled_now, gone, first = { "CANCELLED", now_ms }, {}, 0, nil
for i = 1, count do
  local job, of = id[i], state[i]
  if not of then
    add_item(reply, WIDTH, { "UNKNOWN" })
  elseif of == "cancelled" or cancelled_now[job] then
    local forgotten = cancelled_now[job] and (keep_cancelled == 0 or keep_cancelled_ms == 0)
    add_item(reply, WIDTH, { forgotten and "UNKNOWN" or "ALREADY" })
  elseif of == "completed" or of == "dead" then
    add_item(reply, WIDTH, { "FINISHED", of })
  elseif of == "running" then
    if ask_to_stop(job, lease[i]) then feed_job(feed, "asked", job) end
    add_item(reply, WIDTH, { "ASKED" })
  else
    first = first or stamps(now, count)
    local set = set_of(of)
    redis.call("ZREM", set, job)
    finish(cancelled, job, "cancel", false, first + i - 1, keep_cancelled_ms, now_ms)
    cancelled_now[job], gone = true, gone + 1
    feed_job(feed, "cancelled", job)
    add_item(reply, WIDTH, { "GONE" })
  end
end
if gone > 0 then
  redis.call("HINCRBY", stats, "cancelled", gone)
  trim(cancelled, now, keep_cancelled, "trimmed")
end
note_event(feed, "cancel", keep_events)
return reply
