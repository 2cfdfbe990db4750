-- cut: the first bytes of a text, never ending inside a character of UTF-8.
local function cut(value, most)
  if #value <= most then return value end
  -- A character has 4 bytes at most; more that continue one are no UTF-8, and stay.
  for last = most, math.max(most - 3, 0), -1 do
    if not value:sub(last + 1, last + 1):find("[\128-\191]") then return value:sub(1, last) end
  end
  return value:sub(1, most)
end
