-- with_priority: a record whose header names this priority; what everybody knows by heart is left out.
local function with_priority(record, priority)
  local header, rest = record:match("^([^\n]*)(.*)$")
  header = header:gsub(',"priority":%d', "", 1)
  if priority ~= default.job_priority then
    header = header:gsub('"created_ms":%d+', ('%%0,"priority":%d'):format(priority), 1)
  end
  return header .. rest
end
