-- open_feed: what is to be told of this call, a list of ids a state; nothing where the queue keeps no events.
-- KEYS  events
local function open_feed(keep_events)
  if keep_events == 0 then return nil end
  redis.call("XLEN", events)
  return {}
end
