-- in_range: whether a value is a whole number of the range; a text has to be plain digits.
-- USES  integer
local function in_range(value, least, most)
  if type(value) == "string" then return integer(value, least, most) ~= nil end
  return type(value) == "number" and value % 1 == 0 and value >= least and value <= most
end
