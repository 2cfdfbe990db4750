#!lua
-- enqueue 2: add jobs, to be run now or after a delay.
--
-- A job whose id is still kept is not added again, so a request may be repeated. All options hold for
-- the whole batch. A full server refuses the batch whole; so does a bad item, which is named.
-- An empty id is made up here, from the stamp: for people at a prompt, who do not repeat themselves.
--
-- KEYS  jobs payloads queued scheduled stats settings bell series events
-- ARGV
--   priority      integer?  0..9             9 is the most urgent; empty: the queue's
--   delay_ms      integer   0..315360000000  how long the jobs rest before they are queued
--   max_attempts  integer?  1..1000          failures after which a job is dead; empty: the queue's
--   max_lost      integer?  0..1000          lost leases that a job survives; empty: the queue's
--   timeout_ms    integer?  0..315360000000  how long a handler may take, 0 without end; empty: the queue's
--   retention_ms  integer?  0..315360000000  how long the job is kept once completed; empty: the queue's
--   base_ms       integer?  0..315360000000  backoff: pause after the first failure; empty: the queue's
--   factor        number?   1..1000          backoff: by what it grows with each failure; empty: the queue's
--   cap_ms        integer?  0..315360000000  backoff: the longest pause; empty: the queue's
--   jitter        number?   0..1             backoff: share by which a pause varies; empty: the queue's
-- EACH  1..500
--   id       name?  1..128      made by the caller before the first send
--   type     type   1..128      what kind of work it is
--   payload  bytes  0..8000000  for the handler; kept to the bit
--   headers  bytes  0..4096     for those in between, such as trace context; handed back by claim
-- SETTINGS  payload_bytes job_priority job_max_attempts job_max_lost job_timeout_ms
--           job_backoff_base_ms job_backoff_factor job_backoff_cap_ms job_backoff_jitter
--           keep_events
-- REPLIES
--   ENQUEUED  now_ms:integer header:bytes run_at_ms:integer, then for each job, in order, one of:
--     CREATED    id:text   added now
--     DUPLICATE  id:text   a job of this id is kept: nothing was added; the header is what those added
--                          now have in common, run_at_ms when the first is due, or was queued
-- ERRORS  BAD_ARGUMENT BAD_KEYS TOO_LARGE UPGRADE
-- COST    O(n log m), n = jobs given, m = jobs waiting
-- USES    integer number name kind bad_argument clock time_ms open_feed note_event next_stamp
--         oldest_queued digits note_minute keep_stamp head ring digits_from

-- bound by `make lua` from the header above; edit the header instead
local LEVEL = 1
local key_base, queue = string.match(KEYS[1] or "", "^([^{}]+1:{(%w[%w_.-]*)}:)jobs$")
if not key_base or #queue > 128 or #KEYS ~= 9
  or table.concat(KEYS, ",") ~= key_base .. "jobs," .. key_base .. "payloads,"
  .. key_base .. "queued," .. key_base .. "scheduled," .. key_base .. "stats,"
  .. key_base .. "settings," .. key_base .. "bell," .. key_base .. "series," .. key_base .. "events"
then
  return { "BAD_KEYS", "enqueue takes these keys of one queue, in this order: jobs payloads "
    .. "queued scheduled stats settings bell series events" }
end
local jobs, payloads, queued, scheduled, stats, settings, bell, series, events = unpack(KEYS)
local ARGV = ARGV
-- parts: integer number name kind bad_argument clock time_ms open_feed note_event next_stamp
--   oldest_queued digits note_minute keep_stamp head ring digits_from
local count = (#ARGV - 10) / 4
if count < 1 or count > 500 or count % 1 ~= 0 then
  return { "BAD_ARGUMENT", "enqueue takes 10 arguments and then 4 for each of 1..500 "
    .. "items, not " .. #ARGV }
end
local priority = ARGV[1] ~= "" and integer(ARGV[1], 0, 9)
if priority == nil then
  return bad_argument("priority", "an integer 0..9, or empty", ARGV[1])
end
local delay_ms = integer(ARGV[2], 0, 315360000000)
if delay_ms == nil then
  return bad_argument("delay_ms", "an integer 0..315360000000", ARGV[2])
end
local max_attempts = ARGV[3] ~= "" and integer(ARGV[3], 1, 1000)
if max_attempts == nil then
  return bad_argument("max_attempts", "an integer 1..1000, or empty", ARGV[3])
end
local max_lost = ARGV[4] ~= "" and integer(ARGV[4], 0, 1000)
if max_lost == nil then
  return bad_argument("max_lost", "an integer 0..1000, or empty", ARGV[4])
end
local timeout_ms = ARGV[5] ~= "" and integer(ARGV[5], 0, 315360000000)
if timeout_ms == nil then
  return bad_argument("timeout_ms", "an integer 0..315360000000, or empty", ARGV[5])
end
local retention_ms = ARGV[6] ~= "" and integer(ARGV[6], 0, 315360000000)
if retention_ms == nil then
  return bad_argument("retention_ms", "an integer 0..315360000000, or empty", ARGV[6])
end
local base_ms = ARGV[7] ~= "" and integer(ARGV[7], 0, 315360000000)
if base_ms == nil then
  return bad_argument("base_ms", "an integer 0..315360000000, or empty", ARGV[7])
end
local factor = ARGV[8] ~= "" and number(ARGV[8], 1, 1000)
if factor == nil then
  return bad_argument("factor", "a number 1..1000, or empty", ARGV[8])
end
local cap_ms = ARGV[9] ~= "" and integer(ARGV[9], 0, 315360000000)
if cap_ms == nil then
  return bad_argument("cap_ms", "an integer 0..315360000000, or empty", ARGV[9])
end
local jitter = ARGV[10] ~= "" and number(ARGV[10], 0, 1)
if jitter == nil then
  return bad_argument("jitter", "a number 0..1, or empty", ARGV[10])
end
local id, type, payload, headers = { nil }, { nil }, { nil }, { nil }
local total_bytes = 0
for nth = 1, count do
  local at = 4 * nth + 6
  local given = ARGV[at + 1]
  if given ~= "" and not name(given, 1, 128) then
    return bad_argument(("item %d: id"):format(nth),
      "1..128 letters, digits or _ . - and first a letter or digit, or empty", given)
  end
  id[nth] = given ~= "" and given
  given = ARGV[at + 2]
  if given ~= type[nth - 1] and not kind(given, 1, 128) then
    return bad_argument(("item %d: type"):format(nth),
      "1..128 letters, digits or _ . : - and first a letter or digit", given)
  end
  type[nth] = given
  given = ARGV[at + 3]
  if #given > 8000000 then
    return bad_argument(("item %d: payload"):format(nth), "0..8000000 bytes long", given)
  end
  payload[nth] = given
  total_bytes = total_bytes + #given
  given = ARGV[at + 4]
  if #given > 4096 then
    return bad_argument(("item %d: headers"):format(nth), "0..4096 bytes long", given)
  end
  headers[nth] = given
  total_bytes = total_bytes + #given
end
if total_bytes > 8388608 then
  return { "TOO_LARGE", "enqueue takes at most 8388608 bytes in one call, not " .. total_bytes }
end
local in_force = redis.call("HGETALL", settings)
for i = 1, #in_force, 2 do in_force[in_force[i]] = in_force[i + 1] end
if tonumber(in_force.needs or 1) > LEVEL then
  return { "UPGRADE", ("queue %s needs level %s, this script is %d"):format(
    queue, in_force.needs, LEVEL) }
end
local payload_bytes = (in_force.payload_bytes or 1048576) + 0
local job_priority = (in_force.job_priority or 4) + 0
local job_max_attempts = (in_force.job_max_attempts or 3) + 0
local job_max_lost = (in_force.job_max_lost or 5) + 0
local job_timeout_ms = (in_force.job_timeout_ms or 3600000) + 0
local job_backoff_base_ms = (in_force.job_backoff_base_ms or 1000) + 0
local job_backoff_factor = (in_force.job_backoff_factor or 2) + 0
local job_backoff_cap_ms = (in_force.job_backoff_cap_ms or 3600000) + 0
local job_backoff_jitter = (in_force.job_backoff_jitter or 0.2) + 0
local keep_events = (in_force.keep_events or 0) + 0
-- end of bound

for i = 1, count do
  if #payload[i] > payload_bytes then
    return { "TOO_LARGE", ("item %d: payload has %d bytes, queue %s takes at most %d"):format(
      i, #payload[i], queue, payload_bytes) }
  end
  if id[i] == "status" or id[i] == "batch" then
    return bad_argument(("item %d: id"):format(i), "a name other than status and batch", id[i])
  end
end

local now_ms, now = clock()
local unheard = redis.call("LLEN", bell)
local feed = open_feed(keep_events)
local earliest = delay_ms > 0 and head(scheduled)
local first, minute = next_stamp(now)
for i = 1, count do id[i] = id[i] or digits(first + i - 1) end
local known = redis.call("HMGET", jobs, unpack(id))

local created = '"created_ms":' .. digits(now_ms)
-- What differs from what every script knows by heart is written into the header; the rest is left out.
if next(in_force) or priority or max_attempts or max_lost or timeout_ms or retention_ms or base_ms
  or factor or cap_ms or jitter then
  local function add(member, value, by_heart)
    if value ~= by_heart then created = created .. (',"%s":%.15g'):format(member, value) end
  end
  add("priority", priority or job_priority, default.job_priority)
  add("max_attempts", max_attempts or job_max_attempts, default.job_max_attempts)
  add("max_lost", max_lost or job_max_lost, default.job_max_lost)
  add("timeout_ms", timeout_ms or job_timeout_ms, default.job_timeout_ms)
  add("backoff_base_ms", base_ms or job_backoff_base_ms, default.job_backoff_base_ms)
  add("backoff_factor", factor or job_backoff_factor, default.job_backoff_factor)
  add("backoff_cap_ms", cap_ms or job_backoff_cap_ms, default.job_backoff_cap_ms)
  add("backoff_jitter", jitter or job_backoff_jitter, default.job_backoff_jitter)
  if retention_ms then add("retention_ms", retention_ms) end
end

local rest = delay_ms * 512
if delay_ms == 0 then rest = (9 - (priority or job_priority)) * 562949953421312 end
local place = digits_from(rest + first, count)
-- With room for one job: a table grows by being made anew.
local reply =
  { "ENQUEUED", now_ms, "{" .. created .. "}", time_ms(first + delay_ms * 512), nil, nil }
local records, entries, large, seen, n = { nil, nil }, { nil, nil }, {}, {}, 0
local last_type, opening
for i = 1, count do
  local job, word = id[i], "DUPLICATE"
  if not known[i] and not seen[job] then
    seen[job], word = true, "CREATED"
    if type[i] ~= last_type then
      last_type, opening = type[i], '{"type":"' .. type[i] .. '",' .. created
    end
    local sizes, body = "}\n", payload[i]
    if #body > 4096 then
      sizes, body = (',"payload_bytes":%d}\n'):format(#body), ""
      large[#large + 1], large[#large + 2] = job, payload[i]
    end
    if #headers[i] > 0 then sizes = (',"headers_bytes":%d'):format(#headers[i]) .. sizes end
    records[n + 1], records[n + 2] = job, opening .. sizes .. headers[i] .. body
    entries[n + 1], entries[n + 2] = place[i], job
    n = n + 2
  end
  reply[2 * i + 3], reply[2 * i + 4] = word, job
end

if n > 0 then
  if #large > 0 then redis.call("HLEN", payloads) end
  if minute then note_minute(first + count - 1, minute) end
  -- What is written first needs no look before: where that fails, nothing was written.
  redis.call("ZADD", delay_ms > 0 and scheduled or queued, unpack(entries))
  redis.call("HSET", jobs, unpack(records))
  if #large > 0 then redis.call("HSET", payloads, unpack(large)) end
  keep_stamp(first + count - 1)
  redis.call("HINCRBY", stats, "enqueued", n / 2)
  if not earliest or tonumber(entries[1]) < earliest then ring(unheard) end
  if feed then
    local into = {}
    for i = 2, n, 2 do into[i / 2] = entries[i] end
    feed[delay_ms > 0 and "scheduled" or "queued"] = into
    note_event(feed, "enqueue", keep_events)
  end
end
return reply
