#!lua
-- enqueue 3: add jobs, to be run now or after a delay.
--
-- A job whose id is still kept is not added again, so a request may be repeated. All options hold for
-- the whole batch. A full server refuses the batch whole; so does a bad item, which is named.
-- An empty id is made up here, from the stamp: for people at a prompt, who do not repeat themselves.
--
-- KEYS  jobs payloads queued scheduled stats settings bell series events
-- OPTIONS  words such as `priority=9 delay_ms=1000`, once each; what is left out is as the queue says
--   priority      integer  0..9             9 is the most urgent
--   delay_ms      integer  0..315360000000  how long the jobs rest before they are queued; left out: 0
--   max_attempts  integer  1..1000          failures after which a job is dead
--   max_lost      integer  0..1000          lost leases that a job survives
--   timeout_ms    integer  0..315360000000  how long a handler may take, 0 without end
--   retention_ms  integer  0..315360000000  how long the job is kept once completed
--   base_ms       integer  0..315360000000  backoff: pause after the first failure
--   factor        number   1..1000          backoff: by what it grows with each failure
--   cap_ms        integer  0..315360000000  backoff: the longest pause
--   jitter        number   0..1             backoff: share by which a pause varies
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
-- USES    integer number name kind bad_argument options clock time_ms open_feed note_event
--         next_stamp oldest_queued digits note_minute keep_stamp head ring digits_from

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
-- parts: integer number name kind bad_argument options clock time_ms open_feed note_event
--   next_stamp oldest_queued digits note_minute keep_stamp head ring digits_from
local count = (#ARGV - 1) / 4
if count < 1 or count > 500 or count % 1 ~= 0 then
  return { "BAD_ARGUMENT", "enqueue takes 1 argument and then 4 for each of 1..500 "
    .. "items, not " .. #ARGV }
end
local priority, delay_ms, max_attempts, max_lost, timeout_ms, retention_ms, base_ms, factor, cap_ms,
  jitter
if ARGV[1] ~= "" then
  local chosen, refused = options(ARGV[1], {
    priority = { "an integer", 0, 9 },
    delay_ms = { "an integer", 0, 315360000000 },
    max_attempts = { "an integer", 1, 1000 },
    max_lost = { "an integer", 0, 1000 },
    timeout_ms = { "an integer", 0, 315360000000 },
    retention_ms = { "an integer", 0, 315360000000 },
    base_ms = { "an integer", 0, 315360000000 },
    factor = { "a number", 1, 1000 },
    cap_ms = { "an integer", 0, 315360000000 },
    jitter = { "a number", 0, 1 },
  })
  if not chosen then return refused end
  priority = chosen.priority
  delay_ms = chosen.delay_ms
  max_attempts = chosen.max_attempts
  max_lost = chosen.max_lost
  timeout_ms = chosen.timeout_ms
  retention_ms = chosen.retention_ms
  base_ms = chosen.base_ms
  factor = chosen.factor
  cap_ms = chosen.cap_ms
  jitter = chosen.jitter
end
local id, type, payload, headers = { nil }, { nil }, { nil }, { nil }
local total_bytes = 0
for nth = 1, count do
  local at = 4 * nth - 3
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

delay_ms = delay_ms or 0
local now_ms, now = clock()
local unheard = redis.call("LLEN", bell)
local feed = open_feed(keep_events)
local earliest = delay_ms > 0 and head(scheduled)
local first, minute = next_stamp(now)
for i = 1, count do id[i] = id[i] or digits(first + i - 1) end
local known = redis.call("HMGET", jobs, unpack(id))

local created = '"created_ms":' .. digits(now_ms)
-- What differs from what every script knows by heart is written into the header; the rest is left out.
if next(in_force) or ARGV[1] ~= "" then
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
    n = n + 1
    records[2 * n - 1], records[2 * n] = job, opening .. sizes .. headers[i] .. body
    place[n] = place[i]
  end
  reply[2 * i + 3], reply[2 * i + 4] = word, job
end

if n > 0 then
  if #large > 0 then redis.call("HLEN", payloads) end
  if minute then note_minute(first + count - 1, minute) end
  -- The last first: a small set is a list, where each then goes to the start, and none through the others.
  for i = n, 1, -1 do
    local at = 2 * (n - i)
    entries[at + 1], entries[at + 2] = place[i], records[2 * i - 1]
  end
  -- What is written first needs no look before: where that fails, nothing was written.
  redis.call("ZADD", delay_ms > 0 and scheduled or queued, unpack(entries))
  redis.call("HSET", jobs, unpack(records))
  if #large > 0 then redis.call("HSET", payloads, unpack(large)) end
  keep_stamp(first + count - 1)
  redis.call("HINCRBY", stats, "enqueued", digits(n))
  if not earliest or tonumber(place[1]) < earliest then ring(unheard) end
  if feed then
    local into = {}
    for i = 1, n do into[i] = records[2 * i - 1] end
    feed[delay_ms > 0 and "scheduled" or "queued"] = into
    note_event(feed, "enqueue", keep_events)
  end
end
return reply
