#!lua flags=allow-oom
-- ack 2: finish jobs whose work is done.
--
-- A job is finished only under the lease that its worker still holds; whoever lost the lease learns
-- it here, and the job of the new holder goes on untouched. Asking again is harmless.
--
-- KEYS  jobs payloads running leases tries completed outcomes stats settings queued series events
--       notes
-- ARGV
--   told  bytes?  1..2600000  of handlers, for each that tells something: a line `item lines before progress
--         text`, then so many lines of its log, 4096 bytes at most: item counts from 1; before is how
--         many lines it told before in this attempt, or -; progress is 0 to 1, or -; text 200 bytes
-- EACH  1..500
--   id      name   1..128      the job
--   token   name   1..64       the claim under which it is held
--   result  bytes  0..1048576  what the handler returned, kept with the outcome
-- SETTINGS  result_bytes keep_completed keep_completed_ms keep_payloads keep_events
-- REPLIES
--   ACKED  now_ms:integer, then for each job, in order, one of:
--     DONE        finished now
--     ALREADY     this lease had finished it before
--     LEASE_LOST  the lease ran out, or was never held
--     UNKNOWN     nothing is kept of such a job
-- ERRORS  BAD_ARGUMENT BAD_KEYS TOO_LARGE UPGRADE
-- COST    O(n log m), n = jobs given, m = jobs kept or leased
-- USES    name bad_argument clock open_feed note_event next_stamp oldest_queued digits note_minute
--         keep_stamp forget freed_at_once trim tried is_due held lease_fields not_held cut in_json
--         line_starts read_told keep_notes digits_from

-- bound by `make lua` from the header above; edit the header instead
local LEVEL = 1
local key_base, queue = string.match(KEYS[1] or "", "^([^{}]+1:{(%w[%w_.-]*)}:)jobs$")
if not key_base or #queue > 128 or #KEYS ~= 13
  or table.concat(KEYS, ",") ~= key_base .. "jobs," .. key_base .. "payloads,"
  .. key_base .. "running," .. key_base .. "leases," .. key_base .. "tries,"
  .. key_base .. "completed," .. key_base .. "outcomes," .. key_base .. "stats,"
  .. key_base .. "settings," .. key_base .. "queued," .. key_base .. "series,"
  .. key_base .. "events," .. key_base .. "notes"
then
  return { "BAD_KEYS", "ack takes these keys of one queue, in this order: jobs payloads running "
    .. "leases tries completed outcomes stats settings queued series events notes" }
end
local jobs, payloads, running, leases, tries, completed, outcomes, stats, settings, queued, series,
  events, notes = unpack(KEYS)
local ARGV = ARGV
-- parts: name bad_argument clock open_feed note_event next_stamp oldest_queued digits note_minute
--   keep_stamp forget freed_at_once trim tried is_due held lease_fields not_held cut in_json
--   line_starts read_told keep_notes digits_from
local count = (#ARGV - 1) / 3
if count < 1 or count > 500 or count % 1 ~= 0 then
  return { "BAD_ARGUMENT", "ack takes 1 argument and then 3 for each of 1..500 items, "
    .. "not " .. #ARGV }
end
local told = ARGV[1] ~= "" and (#ARGV[1] >= 1 and #ARGV[1] <= 2600000 and ARGV[1] or nil)
if told == nil then
  return bad_argument("told", "1..2600000 bytes long, or empty", ARGV[1])
end
local id, token, result = { nil }, { nil }, { nil }
local total_bytes = 0
for nth = 1, count do
  local at = 3 * nth - 2
  local given = ARGV[at + 1]
  if not name(given, 1, 128) then
    return bad_argument(("item %d: id"):format(nth),
      "1..128 letters, digits or _ . - and first a letter or digit", given)
  end
  id[nth] = given
  given = ARGV[at + 2]
  if given ~= token[nth - 1] and not name(given, 1, 64) then
    return bad_argument(("item %d: token"):format(nth),
      "1..64 letters, digits or _ . - and first a letter or digit", given)
  end
  token[nth] = given
  given = ARGV[at + 3]
  if #given > 1048576 then
    return bad_argument(("item %d: result"):format(nth), "0..1048576 bytes long", given)
  end
  result[nth] = given
  total_bytes = total_bytes + #given
end
if total_bytes > 8388608 then
  return { "TOO_LARGE", "ack takes at most 8388608 bytes in one call, not " .. total_bytes }
end
local in_force = redis.call("HGETALL", settings)
for i = 1, #in_force, 2 do in_force[in_force[i]] = in_force[i + 1] end
if tonumber(in_force.needs or 1) > LEVEL then
  return { "UPGRADE", ("queue %s needs level %s, this script is %d"):format(
    queue, in_force.needs, LEVEL) }
end
local result_bytes = (in_force.result_bytes or 65536) + 0
local keep_completed = (in_force.keep_completed or 10000) + 0
local keep_completed_ms = (in_force.keep_completed_ms or 3600000) + 0
local keep_payloads = (in_force.keep_payloads or 0) + 0
local keep_events = (in_force.keep_events or 0) + 0
-- end of bound

for i = 1, count do
  if #result[i] > result_bytes then
    return { "TOO_LARGE", ("item %d: result has %d bytes, queue %s takes at most %d"):format(
      i, #result[i], queue, result_bytes) }
  end
end

local told_of = {}
if told then
  told_of = read_told(told, count)
  if not told_of then return bad_argument("told", "of the form that is documented", told) end
  redis.call("HLEN", notes)
end

local now_ms, now = clock()
local lease = held(id, token, now)
local apart = redis.call("HLEN", payloads) > 0
local held_before = redis.call("ZCARD", completed)
local feed = open_feed(keep_events)

-- With room for one job: a table grows by being made anew.
local reply, ended, ids, entries, how, dropped, noted =
  { "ACKED", now_ms, nil }, {}, { nil }, { nil, nil }, { nil, nil }, {}, {}
local at = "ack " .. digits(now_ms) .. " "
local first, minute = next_stamp(now)
local kept_until, n, m = {}, 0, 0
if keep_completed_ms > 0 then kept_until = digits_from(first + keep_completed_ms * 512, count) end
for i = 1, count do
  local job, own = id[i], lease[i]
  if ended[job] then
    reply[i + 2] = ended[job]
    if own == false and ended[job] == "ALREADY" then reply[i + 2] = "LEASE_LOST" end
  elseif not own then
    reply[i + 2] = not_held(job, token[i], "ack")
  else
    local keep_ms, until_then = keep_completed_ms, kept_until[i]
    if own:byte(#token[i] + 2) ~= 45 then -- the lease has no "-", but a retention of its own
      local _, retention = lease_fields(own)
      keep_ms = tonumber(retention)
      until_then = digits(first + i - 1 + keep_ms * 512)
    end
    n = n + 1
    ids[n], reply[i + 2] = job, "DONE"
    if keep_ms == 0 or keep_completed == 0 then
      dropped[#dropped + 1], ended[job] = job, "UNKNOWN"
    else
      m, ended[job] = m + 1, "ALREADY"
      if told_of[i] then
        local _, _, _, attempt = lease_fields(own)
        noted[#noted + 1] = { job, attempt, told_of[i] }
      end
      kept_until[m] = until_then
      how[2 * m - 1], how[2 * m] = job, at .. own .. "\n" .. result[i]
    end
  end
end

if n > 0 then
  local too_many = m > 0 and held_before + m > keep_completed
  if too_many or #dropped > 0 then
    redis.call("HLEN", jobs)
    redis.call("HLEN", tries)
  end
  -- What is written first needs no look before: where that fails, nothing was written.
  if m > 0 then redis.call("HSET", outcomes, unpack(how)) else redis.call("HLEN", outcomes) end
  keep_stamp(first + count - 1, minute)
  redis.call("ZREM", running, unpack(ids))
  redis.call("HDEL", leases, unpack(ids))
  for _, note in ipairs(noted) do keep_notes(note[1], note[2], note[3], now_ms) end
  if m > 0 then
    -- The last first, as in enqueue.
    for i = m, 1, -1 do
      local place = 2 * (m - i)
      entries[place + 1], entries[place + 2] = kept_until[i], how[2 * i - 1]
    end
    redis.call("ZADD", completed, unpack(entries))
    if apart and keep_payloads == 0 then redis.call("HDEL", payloads, unpack(ids)) end
    -- Those past their time wait for a claim or a reap, which look for them anyway.
    if too_many then trim(completed, now, keep_completed, "trimmed", held_before + m) end
  end
  if #dropped > 0 then forget(dropped) end
  redis.call("HINCRBY", stats, "completed", n)
  if feed then feed.completed = ids end
  note_event(feed, "ack", keep_events)
end
return reply
