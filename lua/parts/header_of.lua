-- header_of: the header of a record as a table, or nil where the record is none that enqueue wrote.
-- A member that is not known here is left alone: a newer script may have written it.
-- USES  kind
local function header_of(record, rules)
  local line = record:match("^([^\n]*)\n")
  local read, header = pcall(cjson.decode, line or "")
  if not line or not read or type(header) ~= "table" then return nil end
  for member, value in pairs(header) do
    local rule = rules[member]
    if rule then
      local whole = rule[3] or type(value) == "number" and value % 1 == 0
      if type(value) ~= "number" or not whole then return nil end
      if not (value >= rule[1] and value <= rule[2]) then return nil end
    end
  end
  if type(header.type) ~= "string" or not kind(header.type, 1, 128) then return nil end
  local rest = #record - #line - 1 - (header.headers_bytes or 0)
  local fits = rest >= 0 and rest <= (header.payload_bytes and 0 or 4096)
  return header.created_ms and fits and header or nil
end
