-- note_event: keep one event of what a call did: a line a state, with how many jobs came into it and which, 4096
-- bytes of them at most. A user who may not write there does all else as ever.
-- KEYS  events
local function note_event(feed, verb, keep_events)
  if not feed or not next(feed) then return end
  local lines = {}
  for _, state in ipairs({ "running", "asked", "completed", "scheduled", "queued", "retrying",
    "lost", "cancelled", "dead", "purged", "paused", "resumed" }) do
    local ids = feed[state]
    local size, shown = 0, 0
    while ids and shown < #ids and size + #ids[shown + 1] < 4096 do
      shown = shown + 1
      size = size + #ids[shown] + 1
    end
    if ids then
      lines[#lines + 1] = table.concat({ state, #ids, unpack(ids, 1, shown) }, " ")
    end
  end
  redis.pcall("XADD", events, "MAXLEN", "~", keep_events, "*", "verb", verb,
    "jobs", table.concat(lines, "\n"))
end
