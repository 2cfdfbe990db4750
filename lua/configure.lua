#!lua flags=allow-oom
-- configure 2: set how a queue behaves, and answer what is in force.
--
-- Pausing is `paused` 1, with `pause_reason` and `paused_by` for people; `paused` 0 resumes and wakes a
-- worker. An empty value brings a setting back to its default. `needs` only grows: it shuts out scripts
-- of a lower LEVEL, which would damage what a newer one has written.
--
-- KEYS  settings bell events
-- EACH  0..64
--   setting  name   1..64    its name, see the table of settings
--   value    bytes  0..1000  its new value
-- REPLIES
--   CONFIGURED  now_ms:integer, then for each setting, in order, one of:
--     SETTING  name:text value:text   what is in force now
-- ERRORS  BAD_ARGUMENT BAD_KEYS TOO_LARGE UPGRADE
-- COST    O(n), n = settings
-- USES    integer number name text bad_argument add_item open_feed note_event clock ring

-- bound by `make lua` from the header above; edit the header instead
local LEVEL = 1
local WIDTH = 3
local key_base, queue = string.match(KEYS[1] or "", "^([^{}]+1:{(%w[%w_.-]*)}:)settings$")
if not key_base or #queue > 128 or #KEYS ~= 3
  or table.concat(KEYS, ",") ~= key_base .. "settings," .. key_base .. "bell,"
  .. key_base .. "events"
then
  return { "BAD_KEYS", "configure takes these keys of one queue, in this order: settings bell "
    .. "events" }
end
local settings, bell, events = unpack(KEYS)
local ARGV = ARGV
-- parts: integer number name text bad_argument add_item open_feed note_event clock ring
local count = #ARGV / 2
if count < 0 or count > 64 or count % 1 ~= 0 then
  return { "BAD_ARGUMENT", "configure takes 2 arguments for each of 0..64 items, not " .. #ARGV }
end
local setting, value = { nil }, { nil }
local total_bytes = 0
for nth = 1, count do
  local at = 2 * nth - 2
  local given = ARGV[at + 1]
  if not name(given, 1, 64) then
    return bad_argument(("item %d: setting"):format(nth),
      "1..64 letters, digits or _ . - and first a letter or digit", given)
  end
  setting[nth] = given
  given = ARGV[at + 2]
  if #given > 1000 then
    return bad_argument(("item %d: value"):format(nth), "0..1000 bytes long", given)
  end
  value[nth] = given
  total_bytes = total_bytes + #given
end
if total_bytes > 8388608 then
  return { "TOO_LARGE", "configure takes at most 8388608 bytes in one call, not " .. total_bytes }
end
local in_force = { needs = redis.call("HGET", settings, "needs") }
if tonumber(in_force.needs or 1) > LEVEL then
  return { "UPGRADE", ("queue %s needs level %s, this script is %d"):format(
    queue, in_force.needs, LEVEL) }
end
-- end of bound

-- name, type, least, most, default; made from settings.txt
local every = default.every
local check = { integer = integer, number = number, text = text }
local rules, now_set, stored = {}, {}, {}
local now_ms = clock()
for i, rule in ipairs(every) do rules[rule[1]], stored[i] = rule, rule[1] end
for i, value_now in ipairs(redis.call("HMGET", settings, unpack(stored))) do
  now_set[every[i][1]] = value_now or every[i][5]
end
redis.call("LLEN", bell)
redis.call("XLEN", events)

local least_needs = tonumber(now_set.needs)
for i = 1, count do
  local rule = rules[setting[i]]
  if not rule or setting[i] == "paused_at_ms" then
    return bad_argument(("item %d: name"):format(i), "a setting of a queue", setting[i])
  end
  if value[i] ~= "" and check[rule[2]](value[i], rule[3], rule[4]) == nil then
    return bad_argument(("item %d: %s"):format(i, rule[1]),
      ("%s %s..%s"):format(rule[2], rule[3], rule[4]), value[i])
  end
  if setting[i] == "needs" and (tonumber(value[i]) or 1) < least_needs then
    return bad_argument(("item %d: needs"):format(i), "at least " .. least_needs, value[i])
  end
  if setting[i] == "needs" then least_needs = tonumber(value[i]) or 1 end
  if rule[2] == "integer" and value[i] ~= "" then value[i] = ("%.0f"):format(value[i]) end
  -- Stored, a 0 would differ from what a resume leaves, which stores nothing.
  if setting[i] == "paused" and value[i] == "0" then value[i] = "" end
end

local was_paused = now_set.paused
local function put(what, new)
  if new == "" then
    redis.call("HDEL", settings, what)
  else
    redis.call("HSET", settings, what, new)
  end
  now_set[what] = new == "" and rules[what][5] or new
end
for i = 1, count do put(setting[i], value[i]) end
if now_set.paused == "1" and was_paused ~= "1" then
  put("paused_at_ms", ("%.0f"):format(now_ms))
end
if now_set.paused ~= "1" and was_paused == "1" then
  for _, what in ipairs({ "paused", "pause_reason", "paused_by", "paused_at_ms" }) do
    put(what, "")
  end
  ring()
end
local kept = tonumber(now_set.keep_events)
if kept == 0 and redis.call("XLEN", events) > 0 then
  -- The one command that empties a stream and needs no more rights than a claim.
  redis.pcall("XADD", events, "MAXLEN", "0", "*", "verb", "configure")
elseif now_set.paused ~= was_paused then
  local feed = open_feed(kept)
  if feed then feed[now_set.paused == "1" and "paused" or "resumed"] = {} end
  note_event(feed, "configure", kept)
end

local reply = { "CONFIGURED", now_ms }
for _, rule in ipairs(every) do
  add_item(reply, WIDTH, { "SETTING", rule[1], now_set[rule[1]] })
end
return reply
