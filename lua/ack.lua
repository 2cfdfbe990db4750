#!lua flags=allow-oom
-- ack 1: finish jobs whose work is done.
--
-- A job is finished only under the lease that its worker still holds; whoever lost the lease learns
-- it here, and the job of the new holder goes on untouched. Asking again is harmless.
--
-- KEYS  jobs payloads running leases tries completed outcomes stats settings
-- EACH  1..500
--   id      name   1..128      the job
--   token   name   1..64       the claim under which it is held
--   result  bytes  0..1048576  what the handler returned, kept with the outcome
-- SETTINGS  result_bytes keep_completed keep_completed_ms keep_payloads
-- REPLIES
--   ACKED  now_ms:integer, then for each job, in order, one of:
--     DONE        finished now
--     ALREADY     this lease had finished it before
--     LEASE_LOST  the lease ran out, or was never held
--     UNKNOWN     nothing is kept of such a job
-- ERRORS  BAD_ARGUMENT BAD_KEYS TOO_LARGE UPGRADE
-- COST    O(n log m), n = jobs given, m = jobs kept or leased
-- USES    name bad_argument clock next_stamp keep_stamp head forget freed_at_once trim tried held lease_fields
--         not_held

-- bound by `make lua` from the header above; edit the header instead
local LEVEL = 1
local key_base, queue = string.match(KEYS[1] or "", "^([^{}]+1:{(%w[%w_.-]*)}:)jobs$")
if not key_base or #queue > 128 or #KEYS ~= 9
  or KEYS[2] ~= key_base .. "payloads"
  or KEYS[3] ~= key_base .. "running"
  or KEYS[4] ~= key_base .. "leases"
  or KEYS[5] ~= key_base .. "tries"
  or KEYS[6] ~= key_base .. "completed"
  or KEYS[7] ~= key_base .. "outcomes"
  or KEYS[8] ~= key_base .. "stats"
  or KEYS[9] ~= key_base .. "settings"
then
  return { "BAD_KEYS", "ack takes these keys of one queue, in this order: jobs payloads running "
    .. "leases tries completed outcomes stats settings" }
end
local jobs, payloads, running, leases, tries, completed, outcomes, stats, settings = unpack(KEYS)
-- parts: name bad_argument clock next_stamp keep_stamp head forget freed_at_once trim tried held
--   lease_fields not_held
local count = #ARGV / 3
if count < 1 or count > 500 or count % 1 ~= 0 then
  return { "BAD_ARGUMENT", "ack takes 3 arguments for each of 1..500 items, not " .. #ARGV }
end
local id, token, result = {}, {}, {}
local total_bytes = 0
for nth = 1, count do
  local at = 3 * nth - 3
  id[nth] = name(ARGV[at + 1], 1, 128)
  if id[nth] == nil then
    return bad_argument(("item %d: id"):format(nth),
      "1..128 letters, digits or _ . - and first a letter or digit", ARGV[at + 1])
  end
  token[nth] = token[nth - 1] == ARGV[at + 2] and ARGV[at + 2] or name(ARGV[at + 2], 1, 64)
  if token[nth] == nil then
    return bad_argument(("item %d: token"):format(nth),
      "1..64 letters, digits or _ . - and first a letter or digit", ARGV[at + 2])
  end
  result[nth] = #ARGV[at + 3] <= 1048576 and ARGV[at + 3] or nil
  if result[nth] == nil then
    return bad_argument(("item %d: result"):format(nth), "0..1048576 bytes long", ARGV[at + 3])
  end
  total_bytes = total_bytes + #ARGV[at + 3]
end
if total_bytes > 8388608 then
  return { "TOO_LARGE", "ack takes at most 8388608 bytes in one call, not " .. total_bytes }
end
local in_force = redis.call("HMGET", settings, "needs", "result_bytes", "keep_completed",
  "keep_completed_ms", "keep_payloads")
if tonumber(in_force[1] or 1) > LEVEL then
  return { "UPGRADE", ("queue %s needs level %s, this script is %d"):format(
    queue, in_force[1], LEVEL) }
end
local result_bytes = tonumber(in_force[2] or 65536)
local keep_completed = tonumber(in_force[3] or 10000)
local keep_completed_ms = tonumber(in_force[4] or 3600000)
local keep_payloads = tonumber(in_force[5] or 0)
-- end of bound

for i = 1, count do
  if #result[i] > result_bytes then
    return { "TOO_LARGE", ("item %d: result has %d bytes, queue %s takes at most %d"):format(
      i, #result[i], queue, result_bytes) }
  end
end

local now_ms, now = clock()
local lease = held(id, token, now)
redis.call("HLEN", jobs)
redis.call("HLEN", payloads)
redis.call("HLEN", tries)
redis.call("HLEN", outcomes)
redis.call("ZCARD", completed)

local reply, ended, ids, kept, entries, notes, dropped = { "ACKED", now_ms }, {}, {}, {}, {}, {}, {}
local at = ("ack %.0f "):format(now_ms)
local first = next_stamp(now)
for i = 1, count do
  local job = id[i]
  if ended[job] then
    reply[i + 2] = ended[job]
    if lease[i] == false and ended[job] == "ALREADY" then reply[i + 2] = "LEASE_LOST" end
  elseif not lease[i] then
    reply[i + 2] = not_held(job, token[i], "ack")
  else
    local keep_ms = keep_completed_ms
    if lease[i]:sub(#token[i] + 2, #token[i] + 2) ~= "-" then
      local _, retention = lease_fields(lease[i])
      keep_ms = tonumber(retention)
    end
    ids[#ids + 1], reply[i + 2] = job, "DONE"
    if keep_ms == 0 or keep_completed == 0 then
      dropped[#dropped + 1], ended[job] = job, "UNKNOWN"
    else
      kept[#kept + 1], ended[job] = job, "ALREADY"
      local kept_until = first + i - 1 + keep_ms * 512
      entries[#entries + 1], entries[#entries + 2] = ("%.0f"):format(kept_until), job
      notes[#notes + 1] = job
      notes[#notes + 1] = at .. lease[i] .. "\n" .. result[i]
    end
  end
end

if #ids > 0 then
  keep_stamp(first + count - 1)
  redis.call("ZREM", running, unpack(ids))
  redis.call("HDEL", leases, unpack(ids))
  if #kept > 0 then
    redis.call("ZADD", completed, unpack(entries))
    redis.call("HSET", outcomes, unpack(notes))
    if keep_payloads == 0 then redis.call("HDEL", payloads, unpack(kept)) end
    trim(completed, now, keep_completed, "trimmed")
  end
  if #dropped > 0 then forget(dropped) end
  redis.call("HINCRBY", stats, "completed", #ids)
end
return reply
