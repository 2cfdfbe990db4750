#!lua flags=no-writes
-- group 1: count the jobs of a state by type, type of the last error, and the start of its message.
--
-- From the newest on, `scan` jobs a call: go on with the cursor until it is empty, and add up what has
-- the same type, error and message. The largest 200 groups of a call come each by itself; the jobs of
-- the rest are summed as `others`. Times are those that matter in the state, as in list.
--
-- KEYS  jobs scheduled queued running retrying completed cancelled dead leases tries outcomes settings
-- ARGV
--   state   word     scheduled|queued|running|retrying|completed|cancelled|dead  which jobs
--   scan    integer  1..1000  how many jobs one call looks at, fewer where 2 MB are read before
--   cursor  text     0..300   empty, or as the last page told
-- REPLIES
--   GROUPED  now_ms:integer cursor:text scanned:integer total:integer others:integer, then for each
--            group, the largest first, one of:
--     GROUP  type:text error:bytes message:bytes jobs:integer newest_ms:integer oldest_ms:integer
--            id:text   the message is its first line, 100 bytes of it at most; the id is of the newest
-- ERRORS  BAD_ARGUMENT BAD_KEYS UPGRADE
-- COST    O(n + log m), n = jobs looked at, m = jobs of the state
-- USES    integer text bad_argument add_item clock time_ms cut set_of cursor_ok page moment_of
--         line_starts last_error matches search

-- bound by `make lua` from the header above; edit the header instead
local LEVEL = 1
local WIDTH = 8
local key_base, queue = string.match(KEYS[1] or "", "^([^{}]+1:{(%w[%w_.-]*)}:)jobs$")
if not key_base or #queue > 128 or #KEYS ~= 12
  or table.concat(KEYS, ",") ~= key_base .. "jobs," .. key_base .. "scheduled,"
  .. key_base .. "queued," .. key_base .. "running," .. key_base .. "retrying,"
  .. key_base .. "completed," .. key_base .. "cancelled," .. key_base .. "dead,"
  .. key_base .. "leases," .. key_base .. "tries," .. key_base .. "outcomes,"
  .. key_base .. "settings"
then
  return { "BAD_KEYS", "group takes these keys of one queue, in this order: jobs scheduled queued"
    .. " running retrying completed cancelled dead leases tries outcomes settings" }
end
local jobs, scheduled, queued, running, retrying, completed, cancelled, dead, leases, tries,
  outcomes, settings = unpack(KEYS)
local ARGV = ARGV
-- parts: integer text bad_argument add_item clock time_ms cut set_of cursor_ok page moment_of
--   line_starts last_error matches search
if #ARGV ~= 3 then
  return { "BAD_ARGUMENT", "group takes 3 arguments, not " .. #ARGV }
end
local state = ARGV[1]
if state ~= "scheduled" and state ~= "queued" and state ~= "running" and state ~= "retrying" and
  state ~= "completed" and state ~= "cancelled" and state ~= "dead" then
  return bad_argument("state",
    "one of scheduled, queued, running, retrying, completed, cancelled, dead", ARGV[1])
end
local scan = integer(ARGV[2], 1, 1000)
if scan == nil then
  return bad_argument("scan", "an integer 1..1000", ARGV[2])
end
local cursor = text(ARGV[3], 0, 300)
if cursor == nil then
  return bad_argument("cursor", "a text of 0..300 bytes, none of them a control byte", ARGV[3])
end
local in_force = { needs = redis.call("HGET", settings, "needs") }
if tonumber(in_force.needs or 1) > LEVEL then
  return { "UPGRADE", ("queue %s needs level %s, this script is %d"):format(
    queue, in_force.needs, LEVEL) }
end
-- end of bound

if not cursor_ok(cursor) then
  return bad_argument("cursor", "one that group gave, or empty", cursor)
end

-- Decoded is what stands before the stack, once for all that have it alike: an unescaped quote ends the
-- message, and none is inside.
local known = {}
local function problem_of(line)
  local _, start = line:find('^{"attempt":%d+,')
  local ends = start and line:find(',"stack":', start, true)
  if not ends then return "", "" end
  local told = line:sub(start + 1, ends - 1)
  local problem = known[told]
  if not problem then
    local decoded, read = pcall(cjson.decode, "{" .. told .. "}")
    problem = decoded and { read.type, cut(read.message:match("^[^\r\n]*"), 100) } or { "", "" }
    known[told] = problem
  end
  return problem[1], problem[2]
end

local now_ms = clock()
local set = set_of(state)
local found, scanned, next_cursor = search(set, state, true, cursor, scan, scan, { whole = true },
  now_ms)
local groups, of = {}, {}
for _, job in ipairs(found) do
  local type = job.record:match('^{"type":"([^"]*)"') or ""
  local error, message = problem_of(job.error)
  local at_ms = job.at_ms
  local key = ("%d %d "):format(#type, #error) .. type .. error .. message
  local group = of[key]
  if not group then
    group = { "GROUP", type, error, message, 0, at_ms, at_ms, job.id, nth = #groups }
    of[key], groups[#groups + 1] = group, group
  end
  group[5] = group[5] + 1
  if at_ms > group[6] then group[6], group[8] = at_ms, job.id end
  group[7] = math.min(group[7], at_ms)
end
table.sort(groups, function(a, b)
  if a[5] ~= b[5] then return a[5] > b[5] end
  return a.nth < b.nth
end)
local reply, others = { "GROUPED", now_ms, next_cursor, scanned, redis.call("ZCARD", set), 0 }, 0
for nth, group in ipairs(groups) do
  if nth <= 200 then add_item(reply, WIDTH, group) else others = others + group[5] end
end
reply[6] = others
return reply
