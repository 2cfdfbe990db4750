-- read_header: the header of a record as a table; what it lacks has its default, also where it is broken.
-- Only BoltQ's own line is ever decoded, never what a user sent.
local function read_header(record)
  local line = record:match("^{[^\n]*")
  local read, header = pcall(cjson.decode, line or "{}")
  return read and header or {}
end
