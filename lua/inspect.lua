#!lua flags=no-writes
-- inspect 3: show jobs whole, each with all that is kept of it.
--
-- KEYS  jobs payloads scheduled queued running retrying completed cancelled dead leases tries
--       outcomes settings notes
-- ARGV
--   with_payload  integer  0..1  1: with the payload
-- EACH  1..100
--   id  name  1..128  the job
-- REPLIES
--   INSPECTED  now_ms:integer, then for each job, in order, one of:
--     JOB  id:text state:text header:bytes headers:bytes has_payload:integer payload:bytes
--          run_at_ms:integer attempt:integer failures:integer lost:integer fence:integer
--          started_ms:integer lease_end_ms:integer worker:text cancel:integer how:text
--          ended_ms:integer kept_until_ms:integer result:bytes errors:bytes place:text
--          progress:bytes log:bytes   0 or empty is: not known; failures and lost leases are of all
--          time; `errors` is one line of JSON each; `place` is another once the job has moved, or was
--          altered, extended, asked to stop; `progress` is a line of JSON, the log one a line
--     UNKNOWN    nothing is kept of such a job
--     LATER      the reply is full: ask for this job again
-- ERRORS  BAD_ARGUMENT BAD_KEYS UPGRADE
-- COST    O(n), n = jobs given, and their bytes
-- USES    integer name bad_argument add_item clock time_ms split_record tried lease_fields
--         states_of line_starts place_of describe

-- bound by `make lua` from the header above; edit the header instead
local LEVEL = 1
local WIDTH = 24
local key_base, queue = string.match(KEYS[1] or "", "^([^{}]+1:{(%w[%w_.-]*)}:)jobs$")
if not key_base or #queue > 128 or #KEYS ~= 14
  or table.concat(KEYS, ",") ~= key_base .. "jobs," .. key_base .. "payloads,"
  .. key_base .. "scheduled," .. key_base .. "queued," .. key_base .. "running,"
  .. key_base .. "retrying," .. key_base .. "completed," .. key_base .. "cancelled,"
  .. key_base .. "dead," .. key_base .. "leases," .. key_base .. "tries," .. key_base .. "outcomes,"
  .. key_base .. "settings," .. key_base .. "notes"
then
  return { "BAD_KEYS", "inspect takes these keys of one queue, in this order: jobs payloads "
    .. "scheduled queued running retrying completed cancelled dead leases tries "
    .. "outcomes settings notes" }
end
local jobs, payloads, scheduled, queued, running, retrying, completed, cancelled, dead, leases,
  tries, outcomes, settings, notes = unpack(KEYS)
local ARGV = ARGV
-- parts: integer name bad_argument add_item clock time_ms split_record tried lease_fields states_of
--   line_starts place_of describe
local count = #ARGV - 1
if count < 1 or count > 100 then
  return { "BAD_ARGUMENT", "inspect takes 1 argument and then 1 for each of 1..100 "
    .. "items, not " .. #ARGV }
end
local with_payload = integer(ARGV[1], 0, 1)
if with_payload == nil then
  return bad_argument("with_payload", "an integer 0..1", ARGV[1])
end
local id = { nil }
for nth = 1, count do
  local at = nth
  local given = ARGV[at + 1]
  if not name(given, 1, 128) then
    return bad_argument(("item %d: id"):format(nth),
      "1..128 letters, digits or _ . - and first a letter or digit", given)
  end
  id[nth] = given
end
local in_force = { needs = redis.call("HGET", settings, "needs") }
if tonumber(in_force.needs or 1) > LEVEL then
  return { "UPGRADE", ("queue %s needs level %s, this script is %d"):format(
    queue, in_force.needs, LEVEL) }
end
-- end of bound

local now_ms = clock()
local state, score = states_of(id)
local records = redis.call("HMGET", jobs, unpack(id))
local told = redis.call("HLEN", notes) > 0 and redis.call("HMGET", notes, unpack(id)) or {}
-- A megabyte of payload takes up to 2 ms, to and fro.
local most_bytes = with_payload == 1 and 2000000 or 6000000
local reply, size = { "INSPECTED", now_ms }, 0
for i = 1, count do
  if not records[i] or not state[i] then
    add_item(reply, WIDTH, { "UNKNOWN" })
  elseif size > most_bytes then
    add_item(reply, WIDTH, { "LATER" })
  else
    local header, headers, payload = split_record(records[i])
    if with_payload == 0 then
      payload = false
    elseif not payload then
      size = size + redis.call("HSTRLEN", payloads, id[i])
      if size <= most_bytes or i == 1 then payload = redis.call("HGET", payloads, id[i]) end
    end
    if size > most_bytes and i > 1 then
      add_item(reply, WIDTH, { "LATER" })
    else
      local item = describe(id[i], state[i], score[i], header, headers, payload, true)
      item[23], item[24] = (told[i] or ""):match("^([^\n]*)\n?(.*)$")
      add_item(reply, WIDTH, item)
      size = size + #records[i] + #item[20] + #item[21] + #item[24]
    end
  end
end
return reply
