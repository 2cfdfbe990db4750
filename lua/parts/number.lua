-- number: the decimal number that a text stands for, or nil if it is none in the range.
local function number(value, least, most)
  if not value or #value > 16 or not value:find("^%d+%.?%d*$") then return nil end
  local decimal = tonumber(value)
  if decimal < least or decimal > most then return nil end
  return decimal
end
