-- stamps: take `count` numbers of the sequence that is also a clock; returns the first of them.
-- USES  next_stamp keep_stamp
local function stamps(now, count)
  local first, minute = next_stamp(now)
  keep_stamp(first + count - 1, minute)
  return first
end
