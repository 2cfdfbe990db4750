-- judge_series: name the slots of the series whose line is none, or of another minute; they are told as found.
-- KEYS  series
-- USES  shown minute_of
local function judge_series(add)
  local kept, broken = redis.call("HLEN", series), {}
  if kept > 2000 then
    add("SERIES_BROKEN:" .. kept)
    return broken
  end
  local found = redis.call("HGETALL", series)
  for i = 1, #found, 2 do
    local numbers = minute_of(found[i + 1])
    if not numbers or tostring(numbers[1] % 1440) ~= found[i] then
      broken[#broken + 1] = found[i]
      add("SERIES_BROKEN:" .. shown(found[i]))
    end
  end
  return broken
end
