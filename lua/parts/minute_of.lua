-- minute_of: a line of the series as its eleven numbers, or nil where it is none.
-- USES  integer
local function minute_of(line)
  local numbers = {}
  for word in line:gmatch("[^ ]+") do
    numbers[#numbers + 1] = integer(word, 0, 9007199254740991)
    if #numbers > 11 then return nil end
  end
  return #numbers == 11 and #line < 200 and numbers or nil
end
