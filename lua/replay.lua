#!lua
-- replay 2: queue dead jobs again, with fresh attempts; their history is kept.
--
-- Either the ids given, or, with none, all that were dead when the sweep began, in steps: go on with the
-- cursor that each answer gives until it is empty. A job that dies again meanwhile is left alone.
--
-- KEYS  jobs scheduled queued running retrying completed cancelled dead tries outcomes stats
--       settings bell series events
-- ARGV
--   limit   integer  1..500  how many jobs at most, where no ids are given
--   cursor  text     0..300  empty, or as the last step told
-- EACH  0..500
--   id  name  1..128  the job
-- SETTINGS  keep_events
-- REPLIES
--   REPLAYED  now_ms:integer replayed:integer cursor:text, then for each job, in order, one of:
--     QUEUED    queued again now
--     NOT_DEAD  state:text   it is not dead, and was left as it is
--     UNKNOWN   nothing is kept of such a job
-- ERRORS  BAD_ARGUMENT BAD_KEYS UPGRADE
-- COST    O(n log m), n = jobs given or swept, m = jobs of the queue
-- USES    integer name text bad_argument add_item clock open_feed feed_job note_event next_stamp
--         oldest_queued digits note_minute keep_stamp stamps ring priority_base tried replay_job
--         states_of cursor_ok page

-- bound by `make lua` from the header above; edit the header instead
local LEVEL = 1
local WIDTH = 2
local key_base, queue = string.match(KEYS[1] or "", "^([^{}]+1:{(%w[%w_.-]*)}:)jobs$")
if not key_base or #queue > 128 or #KEYS ~= 15
  or table.concat(KEYS, ",") ~= key_base .. "jobs," .. key_base .. "scheduled,"
  .. key_base .. "queued," .. key_base .. "running," .. key_base .. "retrying,"
  .. key_base .. "completed," .. key_base .. "cancelled," .. key_base .. "dead,"
  .. key_base .. "tries," .. key_base .. "outcomes," .. key_base .. "stats,"
  .. key_base .. "settings," .. key_base .. "bell," .. key_base .. "series," .. key_base .. "events"
then
  return { "BAD_KEYS", "replay takes these keys of one queue, in this order: jobs scheduled "
    .. "queued running retrying completed cancelled dead tries outcomes stats "
    .. "settings bell series events" }
end
local jobs, scheduled, queued, running, retrying, completed, cancelled, dead, tries, outcomes,
  stats, settings, bell, series, events = unpack(KEYS)
local ARGV = ARGV
-- parts: integer name text bad_argument add_item clock open_feed feed_job note_event next_stamp
--   oldest_queued digits note_minute keep_stamp stamps ring priority_base tried replay_job
--   states_of cursor_ok page
local count = #ARGV - 2
if count < 0 or count > 500 then
  return { "BAD_ARGUMENT", "replay takes 2 arguments and then 1 for each of 0..500 "
    .. "items, not " .. #ARGV }
end
local limit = integer(ARGV[1], 1, 500)
if limit == nil then
  return bad_argument("limit", "an integer 1..500", ARGV[1])
end
local cursor = text(ARGV[2], 0, 300)
if cursor == nil then
  return bad_argument("cursor", "a text of 0..300 bytes, none of them a control byte", ARGV[2])
end
local id = { nil }
for nth = 1, count do
  local at = nth + 1
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
local keep_events = (in_force.keep_events or 0) + 0
-- end of bound

if not cursor_ok(cursor) then
  return bad_argument("cursor", "one that replay gave, or empty", cursor)
end

local now_ms, now = clock()
redis.call("HLEN", tries)
redis.call("HLEN", outcomes)
redis.call("LLEN", bell)
local feed = open_feed(keep_events)
local ids, began_ms, next_cursor, _ = id, now_ms, "", nil
if count == 0 then ids, _, began_ms, next_cursor = page(dead, cursor, limit, false, now_ms) end
if #ids == 0 then return { "REPLAYED", now_ms, 0, "" } end
local state = states_of(ids)
local records = redis.call("HMGET", jobs, unpack(ids))
-- Of ids given by name some may have completed: their results can be large, and are of no use here.
local ended = count == 0 and redis.call("HMGET", outcomes, unpack(ids)) or {}

local reply, again, first = { "REPLAYED", now_ms, 0, next_cursor }, {}, nil
for i, job in ipairs(ids) do
  if not state[i] or not records[i] then
    add_item(reply, WIDTH, { "UNKNOWN" })
  elseif state[i] ~= "dead" or again[job] then
    add_item(reply, WIDTH, { "NOT_DEAD", again[job] and "queued" or state[i] })
  elseif count > 0 or tonumber((ended[i] or ""):match("^%S+ (%d+)") or 0) <= began_ms then
    first = first or stamps(now, #ids)
    replay_job(job, records[i], first + i - 1)
    again[job], reply[3] = true, reply[3] + 1
    feed_job(feed, "queued", job)
    add_item(reply, WIDTH, { "QUEUED" })
  end
end
if reply[3] > 0 then
  redis.call("HINCRBY", stats, "replayed", reply[3])
  ring()
  note_event(feed, "replay", keep_events)
end
if count == 0 then return { "REPLAYED", now_ms, reply[3], next_cursor } end
return reply
