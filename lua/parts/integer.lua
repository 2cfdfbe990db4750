-- integer: the whole number that a text of plain digits stands for, or nil if it is none in the range.
-- Lua's own tonumber would take 0x10, 1e3, inf, nan and surrounding blanks.
local function integer(value, least, most)
  if not value or #value > 16 or not value:find("^%d+$") then return nil end
  local number = tonumber(value)
  if number < least or number > most then return nil end
  return number
end
