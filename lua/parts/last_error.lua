-- last_error: the last error of a job as its line of JSON, empty where there is none, and the bytes read.
-- KEYS  tries
-- USES  line_starts
local function last_error(id)
  local entry = redis.call("HGET", tries, id)
  if not entry then return "", 0 end
  local starts = line_starts(entry, 1)
  local line = entry:sub(starts[#starts] or 1)
  return line:find('^{"attempt":%d+,') and line or "", #entry
end
