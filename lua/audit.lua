#!lua flags=no-writes
-- audit 2: judge what is kept of jobs, at one instant, by the rules that each queue keeps.
--
-- Whoever walks a queue's keys asks about each name that he finds; `boltq fsck` does. Faults are words,
-- apart by blanks, the queue's own first; behind a colon stands what they speak of. Its operations,
-- series and events are judged where no names are given. A key of the wrong type is named and not read. Nothing is written.
--
-- KEYS  jobs payloads queued scheduled retrying running leases claims claim_ends completed
--       cancelled dead outcomes tries stats settings bell operations series events notes
-- ARGV
--   of  word  job|stray|claim  what the names are: jobs; jobs without a record; tokens of claims
-- EACH  0..200
--   id  bytes  0..4096  the name
-- SETTINGS  keep_events
-- REPLIES
--   AUDITED  now_ms:integer faults:text, then for each name, in order, one of:
--     SOUND   nothing is wrong, or nothing is kept
--     FAULTY  faults:text   what is wrong with it
--     LATER   enough was read: ask for this name again
-- ERRORS  BAD_ARGUMENT BAD_KEYS TOO_LARGE UPGRADE
-- COST    O(n log m), n = names given, m = jobs of the queue
-- USES    integer number name kind text bad_argument add_item clock in_range shown wrong_types
--         looked_up header_rules header_of lease_of tries_of outcome_of fits totals_of memory_of
--         judge_place judge_lease judge_end judge_tries line_starts notes_sound judge_notes
--         judge_job judge_claim judge_settings judge_stats cursor_ok operation_of judge_operations
--         minute_of judge_series judge_events judge_queue

-- bound by `make lua` from the header above; edit the header instead
local LEVEL = 1
local WIDTH = 2
local key_base, queue = string.match(KEYS[1] or "", "^([^{}]+1:{(%w[%w_.-]*)}:)jobs$")
if not key_base or #queue > 128 or #KEYS ~= 21
  or table.concat(KEYS, ",") ~= key_base .. "jobs," .. key_base .. "payloads,"
  .. key_base .. "queued," .. key_base .. "scheduled," .. key_base .. "retrying,"
  .. key_base .. "running," .. key_base .. "leases," .. key_base .. "claims,"
  .. key_base .. "claim_ends," .. key_base .. "completed," .. key_base .. "cancelled,"
  .. key_base .. "dead," .. key_base .. "outcomes," .. key_base .. "tries," .. key_base .. "stats,"
  .. key_base .. "settings," .. key_base .. "bell," .. key_base .. "operations,"
  .. key_base .. "series," .. key_base .. "events," .. key_base .. "notes"
then
  return { "BAD_KEYS", "audit takes these keys of one queue, in this order: jobs payloads queued "
    .. "scheduled retrying running leases claims claim_ends completed cancelled "
    .. "dead outcomes tries stats settings bell operations series events notes" }
end
local jobs, payloads, queued, scheduled, retrying, running, leases, claims, claim_ends, completed,
  cancelled, dead, outcomes, tries, stats, settings, bell, operations, series, events, notes =
  unpack(KEYS)
local ARGV = ARGV
-- parts: integer number name kind text bad_argument add_item clock in_range shown wrong_types
--   looked_up header_rules header_of lease_of tries_of outcome_of fits totals_of memory_of
--   judge_place judge_lease judge_end judge_tries line_starts notes_sound judge_notes judge_job
--   judge_claim judge_settings judge_stats cursor_ok operation_of judge_operations minute_of
--   judge_series judge_events judge_queue
local count = #ARGV - 1
if count < 0 or count > 200 then
  return { "BAD_ARGUMENT", "audit takes 1 argument and then 1 for each of 0..200 items, "
    .. "not " .. #ARGV }
end
local of = ARGV[1]
if of ~= "job" and of ~= "stray" and of ~= "claim" then
  return bad_argument("of", "one of job, stray, claim", ARGV[1])
end
local id = { nil }
local total_bytes = 0
for nth = 1, count do
  local at = nth
  local given = ARGV[at + 1]
  if #given > 4096 then
    return bad_argument(("item %d: id"):format(nth), "0..4096 bytes long", given)
  end
  id[nth] = given
  total_bytes = total_bytes + #given
end
if total_bytes > 8388608 then
  return { "TOO_LARGE", "audit takes at most 8388608 bytes in one call, not " .. total_bytes }
end
local in_force = redis.call("HGETALL", settings)
for i = 1, #in_force, 2 do in_force[in_force[i]] = in_force[i + 1] end
if tonumber(in_force.needs or 1) > LEVEL then
  return { "UPGRADE", ("queue %s needs level %s, this script is %d"):format(
    queue, in_force.needs, LEVEL) }
end
local keep_events = (in_force.keep_events or 0) + 0
-- end of bound

local now_ms, now = clock()
local wrong = wrong_types()
local totals, names = totals_of(wrong)
local faults = judge_queue(wrong, totals, names, count == 0, keep_events)
local reply = { "AUDITED", now_ms, table.concat(faults, " ") }

-- A stray that has a record is none: it is judged by the name of that.
local sought, index = {}, {}
for i = 1, count do
  local wanted = of == "job"
    or of == "stray" and (wrong.jobs or redis.call("HEXISTS", jobs, id[i]) == 0)
  if wanted then
    index[i] = #sought + 1
    sought[index[i]] = id[i]
  end
end
local found, rules, remembered = looked_up(sought, wrong), header_rules(), memory_of(wrong)

local size = 0
local function judge(i)
  if of == "claim" then
    if size > 300000 then return nil end
    local told, read = judge_claim(id[i], wrong)
    size = size + read
    return told
  end
  if not index[i] then return {} end
  local fact = found[index[i]]
  return fact and judge_job(fact, rules, remembered, totals, now)
end

for i = 1, count do
  local told = judge(i)
  if not told then
    add_item(reply, WIDTH, { "LATER" })
  else
    add_item(reply, WIDTH, { #told == 0 and "SOUND" or "FAULTY", table.concat(told, " ") })
  end
end
return reply
