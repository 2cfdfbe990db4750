-- read_header: the header of a record as a table. Only BoltQ's own line is ever decoded, never what a user sent.
local function read_header(record)
  return cjson.decode(record:match("^[^\n]*"))
end
