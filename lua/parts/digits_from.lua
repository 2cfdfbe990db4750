-- digits_from: so many whole numbers from one on, each as text: all but the last digit is made once for ten.
-- Made one by one they were a tenth of what enqueue and ack do.
-- USES  digits
local function digits_from(first, count)
  if count == 1 then return { digits(first) } end
  local units = { [0] = "0", "1", "2", "3", "4", "5", "6", "7", "8", "9" }
  local texts, unit, tens = {}, first % 10, nil
  for i = 1, count do
    tens = tens or digits((first + i - 1 - unit) / 10)
    texts[i] = tens .. units[unit]
    unit = unit + 1
    if unit == 10 then unit, tens = 0, nil end
  end
  return texts
end
