#!lua flags=no-writes
-- list 2: show the jobs of one state, page by page, without payloads and results.
--
-- The last error of a job comes with it. A cursor is good for the order and the filter it was made in.
-- A filter is looked for entry by entry, `scan` of them a call: `scanned` of `total` tells how far a
-- page has seen, which may be empty and not the last. The time of a filter is that which matters in
-- the state: due (scheduled, retrying), queued, started (running), ended.
--
-- KEYS  jobs scheduled queued running retrying completed cancelled dead leases tries outcomes settings
-- ARGV
--   state     word      scheduled|queued|running|retrying|completed|cancelled|dead  which jobs
--   order     word      newest|oldest  from which end of the set
--   limit     integer   1..200         how many at most
--   cursor    text      0..300         empty, or as the last page told
--   type      type?     1..128         only those of this type; empty: any
--   error     bytes?    1..200         only those whose last error is of this type; empty: any
--   worker    text?     1..128         only those that it holds (running) or ended; empty: any
--   since_ms  integer?  0..9007199254740991  only from this time on; empty: any
--   until_ms  integer?  0..9007199254740991  only before this time; empty: any
--   scan      integer?  1..1000        how many entries one call looks at, where there is a filter; empty:
--             1000
-- REPLIES
--   LISTED  now_ms:integer cursor:text scanned:integer total:integer, then for each job, in order,
--           one of:
--     JOB  id:text state:text header:bytes headers:bytes has_payload:integer payload:bytes
--          run_at_ms:integer attempt:integer failures:integer lost:integer fence:integer
--          started_ms:integer lease_end_ms:integer worker:text cancel:integer how:text
--          ended_ms:integer kept_until_ms:integer result:bytes errors:bytes place:text   as in
--          inspect, with the last error alone; the cursor is empty on the last page; total counts
--          the jobs of the state
-- ERRORS  BAD_ARGUMENT BAD_KEYS UPGRADE
-- COST    O(n + log m), n = jobs shown or looked at, m = jobs of the state
-- USES    integer kind text bad_argument add_item clock time_ms cut in_json split_record tried
--         lease_fields set_of cursor_ok page moment_of line_starts last_error matches search
--         place_of describe

-- bound by `make lua` from the header above; edit the header instead
local LEVEL = 1
local WIDTH = 22
local key_base, queue = string.match(KEYS[1] or "", "^([^{}]+1:{(%w[%w_.-]*)}:)jobs$")
if not key_base or #queue > 128 or #KEYS ~= 12
  or table.concat(KEYS, ",") ~= key_base .. "jobs," .. key_base .. "scheduled,"
  .. key_base .. "queued," .. key_base .. "running," .. key_base .. "retrying,"
  .. key_base .. "completed," .. key_base .. "cancelled," .. key_base .. "dead,"
  .. key_base .. "leases," .. key_base .. "tries," .. key_base .. "outcomes,"
  .. key_base .. "settings"
then
  return { "BAD_KEYS", "list takes these keys of one queue, in this order: jobs scheduled queued "
    .. "running retrying completed cancelled dead leases tries outcomes settings" }
end
local jobs, scheduled, queued, running, retrying, completed, cancelled, dead, leases, tries,
  outcomes, settings = unpack(KEYS)
local ARGV = ARGV
-- parts: integer kind text bad_argument add_item clock time_ms cut in_json split_record tried
--   lease_fields set_of cursor_ok page moment_of line_starts last_error matches search place_of
--   describe
if #ARGV ~= 10 then
  return { "BAD_ARGUMENT", "list takes 10 arguments, not " .. #ARGV }
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
local type = ARGV[5] ~= "" and kind(ARGV[5], 1, 128)
if type == nil then
  return bad_argument("type",
    "1..128 letters, digits or _ . : - and first a letter or digit, or empty", ARGV[5])
end
local error = ARGV[6] ~= "" and (#ARGV[6] >= 1 and #ARGV[6] <= 200 and ARGV[6] or nil)
if error == nil then
  return bad_argument("error", "1..200 bytes long, or empty", ARGV[6])
end
local worker = ARGV[7] ~= "" and text(ARGV[7], 1, 128)
if worker == nil then
  return bad_argument("worker",
    "a text of 1..128 bytes, none of them a control byte, or empty", ARGV[7])
end
local since_ms = ARGV[8] ~= "" and integer(ARGV[8], 0, 9007199254740991)
if since_ms == nil then
  return bad_argument("since_ms", "an integer 0..9007199254740991, or empty", ARGV[8])
end
local until_ms = ARGV[9] ~= "" and integer(ARGV[9], 0, 9007199254740991)
if until_ms == nil then
  return bad_argument("until_ms", "an integer 0..9007199254740991, or empty", ARGV[9])
end
local scan = ARGV[10] ~= "" and integer(ARGV[10], 1, 1000)
if scan == nil then
  return bad_argument("scan", "an integer 1..1000, or empty", ARGV[10])
end
local in_force = { needs = redis.call("HGET", settings, "needs") }
if tonumber(in_force.needs or 1) > LEVEL then
  return { "UPGRADE", ("queue %s needs level %s, this script is %d"):format(
    queue, in_force.needs, LEVEL) }
end
-- end of bound

if not cursor_ok(cursor) then
  return bad_argument("cursor", "one that list gave, or empty", cursor)
end

local now_ms = clock()
local set = set_of(state)
local filter = {
  type = type, worker = worker, since_ms = since_ms, until_ms = until_ms,
  error = error and in_json(error, 200) .. ",",
}
local filtered = filter.type or filter.worker or filter.error or since_ms or until_ms
local found, scanned, next_cursor, cursor_after = search(set, state, order == "newest", cursor,
  limit, filtered and (scan or 1000) or limit, filter, now_ms)
local reply = { "LISTED", now_ms, next_cursor, scanned, redis.call("ZCARD", set) }
local read = 0
for i, job in ipairs(found) do
  -- Results and errors are read whole, to show little of them: the page ends where it was enough.
  if read > 4000000 then
    reply[3], reply[4] = cursor_after(found[i - 1].nth), found[i - 1].nth
    break
  end
  local header, headers = split_record(job.record)
  local item, bytes = describe(job.id, state, job.score, header, headers, false, false)
  add_item(reply, WIDTH, item)
  read = read + bytes
end
return reply
