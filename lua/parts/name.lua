-- name: the value if it may name a queue, a job or a token, else nil.
-- Braces would move a key to another slot, blanks and control bytes would break logs and ACL patterns.
local function name(value, least, most)
  if not value or #value < least or #value > most then return nil end
  return value:find("^%w[a-z0-9A-Z_.-]*$") and value or nil
end
