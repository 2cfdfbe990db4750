-- judge_events: whether the feed has more than it may, and name those of its newest 20 events that have not the
-- form which a call gives them; they are told as found.
-- KEYS  events
-- USES  shown
local function judge_events(add, keep_events)
  if keep_events == 0 and redis.call("XLEN", events) > 0 then add("EVENTS_EXTRA") end
  local broken = {}
  for _, event in ipairs(redis.call("XREVRANGE", events, "+", "-", "COUNT", "20")) do
    local fields = event[2]
    local sound = #fields == 4 and fields[1] == "verb" and fields[3] == "jobs"
      and fields[2]:find("^[%l_]+$")
    for line in (sound and fields[4] .. "\n" or ""):gmatch("([^\n]*)\n") do
      sound = sound and line:find("^%l+ %d+[%w_. -]*$")
    end
    if not sound then
      broken[#broken + 1] = event[1]
      add("EVENT_BROKEN:" .. shown(event[1]))
    end
  end
  return broken
end
