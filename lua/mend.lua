#!lua flags=allow-oom
-- mend 2: mend what audit finds, as far as no guess is needed; say what is left.
--
-- Each name is judged again at that instant. A job that is in no set, or runs under no lease, is queued
-- again; of several sets one wins: that of a lease that is held, else of an end that the outcome
-- confirms, else of what leads to the job being run. What belongs to no job is deleted. Without names
-- the queue itself is mended: its totals, its operations, series, events and bell; do that last. While a key is of the wrong type
-- nothing is mended. Asking again is harmless.
--
-- KEYS  jobs payloads queued scheduled retrying running leases claims claim_ends completed
--       cancelled dead outcomes tries stats settings bell operations series events notes
-- ARGV
--   of  word  job|claim  what the names are: jobs; tokens of claims
-- EACH  0..200
--   id  bytes  0..4096  the name
-- SETTINGS  keep_completed_ms keep_cancelled_ms keep_dead_ms keep_events
-- REPLIES
--   MENDED  now_ms:integer mended:text faults:text, then for each name, in order, one of:
--     SOUND   nothing is wrong, or nothing is kept
--     MENDED  mended:text state:text faults:text   what was wrong, the state that the job has now, if
--             it is kept, and what is wrong still
--     LEFT    faults:text   what is wrong still: only a guess could mend it
--     LATER   enough was read: ask for this name again
-- ERRORS  BAD_ARGUMENT BAD_KEYS TOO_LARGE UPGRADE
-- COST    O(n log m), n = names given, m = jobs of the queue
-- USES    integer number name kind text bad_argument add_item clock next_stamp oldest_queued digits
--         note_minute keep_stamp stamps ring set_of in_range shown wrong_types looked_up
--         header_rules header_of lease_of tries_of outcome_of fits totals_of memory_of judge_place
--         judge_lease judge_end judge_tries line_starts notes_sound judge_notes judge_job
--         judge_claim judge_settings judge_stats cursor_ok operation_of judge_operations minute_of
--         judge_series judge_events judge_queue pick_state right_score put_into mend_claim
--         mend_lease mend_end mend_tries mend_notes mend_job mend_queue

-- bound by `make lua` from the header above; edit the header instead
local LEVEL = 1
local WIDTH = 4
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
  return { "BAD_KEYS", "mend takes these keys of one queue, in this order: jobs payloads queued "
    .. "scheduled retrying running leases claims claim_ends completed cancelled "
    .. "dead outcomes tries stats settings bell operations series events notes" }
end
local jobs, payloads, queued, scheduled, retrying, running, leases, claims, claim_ends, completed,
  cancelled, dead, outcomes, tries, stats, settings, bell, operations, series, events, notes =
  unpack(KEYS)
local ARGV = ARGV
-- parts: integer number name kind text bad_argument add_item clock next_stamp oldest_queued digits
--   note_minute keep_stamp stamps ring set_of in_range shown wrong_types looked_up header_rules
--   header_of lease_of tries_of outcome_of fits totals_of memory_of judge_place judge_lease
--   judge_end judge_tries line_starts notes_sound judge_notes judge_job judge_claim judge_settings
--   judge_stats cursor_ok operation_of judge_operations minute_of judge_series judge_events
--   judge_queue pick_state right_score put_into mend_claim mend_lease mend_end mend_tries
--   mend_notes mend_job mend_queue
local count = #ARGV - 1
if count < 0 or count > 200 then
  return { "BAD_ARGUMENT", "mend takes 1 argument and then 1 for each of 0..200 items, "
    .. "not " .. #ARGV }
end
local of = ARGV[1]
if of ~= "job" and of ~= "claim" then
  return bad_argument("of", "one of job, claim", ARGV[1])
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
  return { "TOO_LARGE", "mend takes at most 8388608 bytes in one call, not " .. total_bytes }
end
local in_force = redis.call("HGETALL", settings)
for i = 1, #in_force, 2 do in_force[in_force[i]] = in_force[i + 1] end
if tonumber(in_force.needs or 1) > LEVEL then
  return { "UPGRADE", ("queue %s needs level %s, this script is %d"):format(
    queue, in_force.needs, LEVEL) }
end
local keep_completed_ms = (in_force.keep_completed_ms or 3600000) + 0
local keep_cancelled_ms = (in_force.keep_cancelled_ms or 3600000) + 0
local keep_dead_ms = (in_force.keep_dead_ms or 7776000000) + 0
local keep_events = (in_force.keep_events or 0) + 0
-- end of bound

local now_ms, now = clock()
local wrong = wrong_types()
local totals, names = totals_of(wrong)
local before, need, gone, broken = judge_queue(wrong, totals, names, count == 0, keep_events)
local whole = next(wrong) == nil
if whole and table.concat(before, " "):find("STAMP_BROKEN", 1, true) then
  totals.stamp = now
  keep_stamp(now)
end
if whole and count == 0 then mend_queue(totals, names, need, gone, broken, keep_events) end
local kept_ms = {
  completed = in_range(keep_completed_ms, 0, 315360000000) and keep_completed_ms
    or default.keep_completed_ms,
  cancelled = in_range(keep_cancelled_ms, 0, 315360000000) and keep_cancelled_ms
    or default.keep_cancelled_ms,
  dead = in_range(keep_dead_ms, 0, 315360000000) and keep_dead_ms or default.keep_dead_ms,
}

local rules = header_rules()

-- What was wrong and is not any more.
local function gone_of(were, are)
  local still, mended = {}, {}
  for _, word in ipairs(are) do still[word] = true end
  for _, word in ipairs(were) do
    if not still[word] then mended[#mended + 1] = word end
  end
  return mended
end

local function judge(at)
  if of == "claim" then
    local told, read = judge_claim(id[at], wrong)
    return told, nil, read
  end
  local found, read = looked_up({ id[at] }, wrong)
  return judge_job(found[1], rules, memory_of(wrong), totals, now), found[1], read
end

local reply, size, queued_again = { "MENDED", now_ms, "", "" }, 0, false
local function mend(at)
  local were, fact, read = judge(at)
  size = size + read
  if #were == 0 then return { "SOUND" } end
  if not whole then return { "LEFT", table.concat(were, " ") } end
  local state = of == "claim" and mend_claim(id[at])
    or fact and mend_job(fact, kept_ms, memory_of(wrong), totals, now)
  local are = judge(at)
  local mended = gone_of(were, are)
  if #mended == 0 then return { "LEFT", table.concat(are, " ") } end
  queued_again = queued_again or state == "queued"
  return { "MENDED", table.concat(mended, " "), state, table.concat(are, " ") }
end

for i = 1, count do
  add_item(reply, WIDTH, size > 300000 and { "LATER" } or mend(i))
end
if queued_again then ring() end
totals = totals_of(wrong)
local left = judge_queue(wrong, totals, names, count == 0, keep_events)
reply[3], reply[4] = table.concat(gone_of(before, left), " "), table.concat(left, " ")
return reply
