#!lua flags=no-writes
-- events 1: tell what calls did, in their order, as far as it is kept.
--
-- Only a queue with `keep_events` keeps them. Who follows goes on after the last id that he was given.
--
-- KEYS  events settings
-- ARGV
--   after  text     0..40    the id of the last one known; empty: from the oldest on
--   limit  integer  1..1000  how many at most, fewer where they are large
-- SETTINGS  keep_events
-- REPLIES
--   EVENTS  now_ms:integer keep_events:integer gap:integer more:integer last:text, then for each
--           event, in order, one of:
--     EVENT  id:text verb:text jobs:bytes   the id begins with its time in ms; jobs is a line a state
--            that jobs came into, `state count ids`, of which 4096 bytes at most are told; gap is 1 if
--            some after the one known may have been let go, more if there are more, last the id of the
--            last that is kept
-- ERRORS  BAD_ARGUMENT BAD_KEYS UPGRADE
-- COST    O(n), n = events told
-- USES    integer text bad_argument add_item clock

-- bound by `make lua` from the header above; edit the header instead
local LEVEL = 1
local WIDTH = 4
local key_base, queue = string.match(KEYS[1] or "", "^([^{}]+1:{(%w[%w_.-]*)}:)events$")
if not key_base or #queue > 128 or #KEYS ~= 2
  or table.concat(KEYS, ",") ~= key_base .. "events," .. key_base .. "settings"
then
  return { "BAD_KEYS", "events takes these keys of one queue, in this order: events settings" }
end
local events, settings = unpack(KEYS)
local ARGV = ARGV
-- parts: integer text bad_argument add_item clock
if #ARGV ~= 2 then
  return { "BAD_ARGUMENT", "events takes 2 arguments, not " .. #ARGV }
end
local after = text(ARGV[1], 0, 40)
if after == nil then
  return bad_argument("after", "a text of 0..40 bytes, none of them a control byte", ARGV[1])
end
local limit = integer(ARGV[2], 1, 1000)
if limit == nil then
  return bad_argument("limit", "an integer 1..1000", ARGV[2])
end
local in_force = redis.call("HGETALL", settings)
for i = 1, #in_force, 2 do in_force[in_force[i]] = in_force[i + 1] end
if tonumber(in_force.needs or 1) > LEVEL then
  return { "UPGRADE", ("queue %s needs level %s, this script is %d"):format(
    queue, in_force.needs, LEVEL) }
end
local keep_events = (in_force.keep_events or 0) + 0
-- end of bound

local ms, nth = after:match("^(%d+)%-(%d+)$")
if after ~= "" and (not ms or #ms > 15 or #nth > 15) then
  return bad_argument("after", "an id that events gave, or empty", after)
end

local now_ms = clock()
local oldest = redis.call("XRANGE", events, "-", "+", "COUNT", "1")[1]
local newest = redis.call("XREVRANGE", events, "+", "-", "COUNT", "1")[1]
local last = newest and newest[1] or ""
local reply, from, told, size = { "EVENTS", now_ms, keep_events, 0, 0, last }, "-", 0, 0
if after ~= "" then
  -- Where the one known is kept still, or one before it, all that came after it are.
  local at = redis.call("XRANGE", events, after, "+", "COUNT", "1")[1]
  if not at or at[1] == oldest[1] and at[1] ~= after then reply[4] = 1 end
  from = "(" .. after
end
repeat
  local found = redis.call("XRANGE", events, from, "+", "COUNT", math.min(50, limit - told))
  for _, event in ipairs(found) do
    local fields = {}
    for i = 1, #event[2], 2 do fields[event[2][i]] = event[2][i + 1] end
    add_item(reply, WIDTH, { "EVENT", event[1], fields.verb, fields.jobs })
    from, told = "(" .. event[1], told + 1
    size = size + #(fields.jobs or "")
  end
until #found < 50 or told >= limit or size > 4000000
if told > 0 and from ~= "(" .. last then reply[5] = 1 end
return reply
