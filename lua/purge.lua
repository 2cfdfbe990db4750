#!lua flags=allow-oom
-- purge 2: delete jobs that rest, with all that is kept of them.
--
-- Either the ids given, or, with none, all of a state that were made before the sweep began, in steps:
-- go on with the cursor that each answer gives until it is empty. A running job is never purged. With a
-- `place`, a job is purged only if it is still there.
--
-- KEYS  jobs payloads scheduled queued running retrying completed cancelled dead tries outcomes
--       stats settings series events notes
-- ARGV
--   state   word?    scheduled|queued|retrying|completed|cancelled|dead  which jobs; empty: the ids given
--   limit   integer  1..500  how many jobs at most, where no ids are given
--   cursor  text     0..300  empty, or as the last step told
-- EACH  0..500
--   id     name   1..128  the job
--   place  text?  1..128  where inspect or list saw it; empty: wherever it is
-- SETTINGS  keep_events
-- REPLIES
--   PURGED  now_ms:integer purged:integer cursor:text, then for each job, in order, one of:
--     GONE     deleted now
--     MOVED    place:text   it has left the place given, and is there: nothing was changed
--     RUNNING  it runs, and was left as it is
--     UNKNOWN  nothing is kept of such a job
-- ERRORS  BAD_ARGUMENT BAD_KEYS UPGRADE
-- COST    O(n log m), n = jobs given or swept, m = jobs of the queue
-- USES    integer name text bad_argument add_item clock open_feed note_event next_stamp
--         oldest_queued digits note_minute keep_stamp stamps forget freed_at_once states_of set_of
--         place_of cursor_ok page

-- bound by `make lua` from the header above; edit the header instead
local LEVEL = 1
local WIDTH = 2
local key_base, queue = string.match(KEYS[1] or "", "^([^{}]+1:{(%w[%w_.-]*)}:)jobs$")
if not key_base or #queue > 128 or #KEYS ~= 16
  or table.concat(KEYS, ",") ~= key_base .. "jobs," .. key_base .. "payloads,"
  .. key_base .. "scheduled," .. key_base .. "queued," .. key_base .. "running,"
  .. key_base .. "retrying," .. key_base .. "completed," .. key_base .. "cancelled,"
  .. key_base .. "dead," .. key_base .. "tries," .. key_base .. "outcomes," .. key_base .. "stats,"
  .. key_base .. "settings," .. key_base .. "series," .. key_base .. "events,"
  .. key_base .. "notes"
then
  return { "BAD_KEYS", "purge takes these keys of one queue, in this order: jobs payloads "
    .. "scheduled queued running retrying completed cancelled dead tries outcomes"
    .. " stats settings series events notes" }
end
local jobs, payloads, scheduled, queued, running, retrying, completed, cancelled, dead, tries,
  outcomes, stats, settings, series, events, notes = unpack(KEYS)
local ARGV = ARGV
-- parts: integer name text bad_argument add_item clock open_feed note_event next_stamp
--   oldest_queued digits note_minute keep_stamp stamps forget freed_at_once states_of set_of
--   place_of cursor_ok page
local count = (#ARGV - 3) / 2
if count < 0 or count > 500 or count % 1 ~= 0 then
  return { "BAD_ARGUMENT", "purge takes 3 arguments and then 2 for each of 0..500 items,"
    .. " not " .. #ARGV }
end
local state = ARGV[1] ~= "" and ARGV[1]
if state and state ~= "scheduled" and state ~= "queued" and state ~= "retrying" and state ~=
  "completed" and state ~= "cancelled" and state ~= "dead" then
  return bad_argument("state",
    "one of scheduled, queued, retrying, completed, cancelled, dead, or empty", ARGV[1])
end
local limit = integer(ARGV[2], 1, 500)
if limit == nil then
  return bad_argument("limit", "an integer 1..500", ARGV[2])
end
local cursor = text(ARGV[3], 0, 300)
if cursor == nil then
  return bad_argument("cursor", "a text of 0..300 bytes, none of them a control byte", ARGV[3])
end
local id, place = { nil }, { nil }
for nth = 1, count do
  local at = 2 * nth + 1
  local given = ARGV[at + 1]
  if not name(given, 1, 128) then
    return bad_argument(("item %d: id"):format(nth),
      "1..128 letters, digits or _ . - and first a letter or digit", given)
  end
  id[nth] = given
  given = ARGV[at + 2]
  if given ~= "" and not text(given, 1, 128) then
    return bad_argument(("item %d: place"):format(nth),
      "a text of 1..128 bytes, none of them a control byte, or empty", given)
  end
  place[nth] = given ~= "" and given
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
  return bad_argument("cursor", "one that purge gave, or empty", cursor)
end
if (not state) == (count == 0) then
  return { "BAD_ARGUMENT", "purge takes either a state or ids" }
end

local now_ms, now = clock()
redis.call("HLEN", payloads)
redis.call("HLEN", tries)
redis.call("HLEN", outcomes)
local feed = open_feed(keep_events)
next_stamp(now)
local ids, began_ms, next_cursor, _ = id, now_ms, "", nil
if state then
  local set = set_of(state)
  local cursor_after, found
  found, _, began_ms, next_cursor, cursor_after = page(set, cursor, limit, false, now_ms)
  ids = freed_at_once(found)
  if #ids < #found then next_cursor = cursor_after(#ids) end
end
if #ids == 0 then return { "PURGED", now_ms, 0, "" } end
local found, scores = states_of(ids)
local records = redis.call("HMGET", jobs, unpack(ids))

local function place_now(i)
  return place_of(found[i], scores[i], (records[i] or ""):match("^[^\n]*"))
end

local reply, gone = { "PURGED", now_ms, 0, next_cursor }, {}
for i, job in ipairs(ids) do
  local created_ms = tonumber((records[i] or ""):match('^[^\n]*"created_ms":(%d+)') or 0)
  if not found[i] or gone[job] then
    add_item(reply, WIDTH, { "UNKNOWN" })
  elseif found[i] == "running" then
    add_item(reply, WIDTH, { "RUNNING" })
  elseif place[i] and place[i] ~= place_now(i) then
    add_item(reply, WIDTH, { "MOVED", place_now(i) })
  elseif not state or created_ms <= began_ms then
    local set = set_of(found[i])
    redis.call("ZREM", set, job)
    gone[job], gone[#gone + 1] = true, job
    add_item(reply, WIDTH, { "GONE" })
  end
end
if #gone > 0 then
  stamps(now, 1) -- so that the minute in which they went has a line of its own
  forget(gone)
  redis.call("HINCRBY", stats, "purged", #gone)
  if feed then feed.purged = gone end
  note_event(feed, "purge", keep_events)
end
if state then return { "PURGED", now_ms, #gone, next_cursor } end
reply[3] = #gone
return reply
