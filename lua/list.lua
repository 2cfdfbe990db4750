#!lua flags=no-writes
-- list 1: show the jobs of one state, page by page, without payloads and results.
--
-- The last error of a job comes with it. A cursor is good for the order it was made in.
--
-- KEYS  jobs scheduled queued running retrying completed cancelled dead leases tries outcomes settings
-- ARGV
--   state   word     scheduled|queued|running|retrying|completed|cancelled|dead  which jobs
--   order   word     newest|oldest  from which end of the set
--   limit   integer  1..200         how many at most
--   cursor  text     0..300         empty, or as the last page told
-- REPLIES
--   LISTED  now_ms:integer cursor:text, then for each job, in order, one of:
--     JOB  id:text state:text header:bytes headers:bytes has_payload:integer payload:bytes
--          run_at_ms:integer attempt:integer failures:integer lost:integer fence:integer
--          started_ms:integer lease_end_ms:integer worker:text cancel:integer how:text
--          ended_ms:integer kept_until_ms:integer result:bytes errors:bytes   as in inspect, with
--          the last error alone; the cursor is empty on the last page
-- ERRORS  BAD_ARGUMENT BAD_KEYS UPGRADE
-- COST    O(n + log m), n = jobs shown, m = jobs of the state
-- USES    integer text bad_argument add_item clock time_ms split_record tried lease_fields set_of cursor_ok page
--         line_starts describe

-- bound by `make lua` from the header above; edit the header instead
local LEVEL = 1
local WIDTH = 21
local key_base, queue = string.match(KEYS[1] or "", "^([^{}]+1:{(%w[%w_.-]*)}:)jobs$")
if not key_base or #queue > 128 or #KEYS ~= 12
  or KEYS[2] ~= key_base .. "scheduled"
  or KEYS[3] ~= key_base .. "queued"
  or KEYS[4] ~= key_base .. "running"
  or KEYS[5] ~= key_base .. "retrying"
  or KEYS[6] ~= key_base .. "completed"
  or KEYS[7] ~= key_base .. "cancelled"
  or KEYS[8] ~= key_base .. "dead"
  or KEYS[9] ~= key_base .. "leases"
  or KEYS[10] ~= key_base .. "tries"
  or KEYS[11] ~= key_base .. "outcomes"
  or KEYS[12] ~= key_base .. "settings"
then
  return { "BAD_KEYS", "list takes these keys of one queue, in this order: jobs scheduled queued "
    .. "running retrying completed cancelled dead leases tries outcomes settings" }
end
local jobs, scheduled, queued, running, retrying, completed, cancelled, dead, leases, tries,
  outcomes, settings = unpack(KEYS)
-- parts: integer text bad_argument add_item clock time_ms split_record tried lease_fields set_of
--   cursor_ok page line_starts describe
if #ARGV ~= 4 then
  return { "BAD_ARGUMENT", "list takes 4 arguments, not " .. #ARGV }
end
local state = ARGV[1]
if state ~= "scheduled" and state ~= "queued" and state ~= "running" and state ~= "retrying" and
  state ~= "completed" and state ~= "cancelled" and state ~= "dead" then
  return bad_argument("state",
    "one of scheduled, queued, running, retrying, completed, cancelled, dead", ARGV[1])
end
local order = ARGV[2]
if order ~= "newest" and order ~= "oldest" then
  return bad_argument("order", "one of newest, oldest", ARGV[2])
end
local limit = integer(ARGV[3], 1, 200)
if limit == nil then
  return bad_argument("limit", "an integer 1..200", ARGV[3])
end
local cursor = text(ARGV[4], 0, 300)
if cursor == nil then
  return bad_argument("cursor", "a text of 0..300 bytes, none of them a control byte", ARGV[4])
end
local in_force = redis.call("HMGET", settings, "needs")
if tonumber(in_force[1] or 1) > LEVEL then
  return { "UPGRADE", ("queue %s needs level %s, this script is %d"):format(
    queue, in_force[1], LEVEL) }
end
-- end of bound

if not cursor_ok(cursor) then
  return bad_argument("cursor", "one that list gave, or empty", cursor)
end

local now_ms = clock()
local set = set_of(state)
local newest = order == "newest"
local ids, scores, _, next_cursor, cursor_after = page(set, cursor, limit, newest, now_ms)
if #ids == 0 then return { "LISTED", now_ms, "" } end
local reply, read = { "LISTED", now_ms, next_cursor }, 0
for i, record in ipairs(redis.call("HMGET", jobs, unpack(ids))) do
  -- Results and errors are read whole, to show little of them: the page ends where it was enough.
  if read > 4000000 then
    reply[3] = cursor_after(i - 1)
    break
  end
  if record then
    local header, headers = split_record(record)
    local score = tonumber(scores[i])
    local item, bytes = describe(ids[i], state, score, header, headers, false, false)
    add_item(reply, WIDTH, item)
    read = read + bytes
  end
end
return reply
