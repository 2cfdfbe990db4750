-- outcome_of: an outcome as a table, without its result, or nil where it has not the form it should.
-- USES  in_range lease_of
local function outcome_of(entry)
  local how, at_ms, held = entry:match("^(%S+) (%d+) ([^\n]*)\n")
  local lease = held and lease_of(held, true)
  if not lease or not in_range(at_ms, 0, 9007199254740991) then return nil end
  return { how = how, at_ms = tonumber(at_ms), lease = lease }
end
