-- digits: a whole number from 0 to 2^53 as text; "%.0f" takes twice as long, and .. rounds it.
-- In two pieces, since on some machines "%d" takes no more than 2^31.
local function digits(whole)
  if whole < 10000000 then return ("%d"):format(whole) end
  local low = whole % 10000000
  return ("%d%07d"):format((whole - low) / 10000000, low)
end
