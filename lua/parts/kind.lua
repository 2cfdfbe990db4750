-- kind: the value if it may be the type of a job, else nil: a name that may hold colons.
local function kind(value, least, most)
  if not value or #value < least or #value > most then return nil end
  return value:find("^%w[a-z0-9A-Z_.:-]*$") and value or nil
end
