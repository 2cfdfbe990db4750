-- split_record: the header line, the headers and the payload of a record; false for a payload kept apart.
local function split_record(record)
  local start = (record:find("\n", 1, true) or #record) + 1
  local header = record:sub(1, start - 2)
  if not header:find('_bytes":', 1, true) then return header, "", record:sub(start) end
  local size = tonumber(header:match('"headers_bytes":(%d+)') or 0)
  if header:find('"payload_bytes":', 1, true) then return header, record:sub(start), false end
  return header, record:sub(start, start + size - 1), record:sub(start + size)
end
