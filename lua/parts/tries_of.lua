-- tries_of: the entry of a job's tries as a table, or nil where it has not the form that it should.
-- Errors are not decoded, only looked at from outside: ten of 4 KiB take longer than all the rest.
-- USES  integer name in_range
local function tries_of(entry)
  local failures, lost, failures_ever, lost_ever, token, how, errors =
    entry:match("^(%d+) (%d+) (%d+) (%d+) (%S+) (%S+)\n(.*)$")
  if not failures or #errors > 0 and errors:sub(-1) ~= "\n" then return nil end
  local counts = {
    failures = integer(failures, 0, 9999999999), lost = integer(lost, 0, 9999999999),
    failures_ever = integer(failures_ever, 0, 9999999999),
    lost_ever = integer(lost_ever, 0, 9999999999), token = token, how = how,
  }
  if not (counts.failures and counts.lost) then return nil end
  if not in_range(counts.failures_ever, counts.failures, 9999999999) then return nil end
  if not in_range(counts.lost_ever, counts.lost, 9999999999) then return nil end
  local lines = 0
  for line in errors:gmatch("([^\n]*)\n") do
    lines = lines + 1
    if not line:find('^{"attempt":%d+,.*}$') then return nil end
  end
  if lines > math.min(10, counts.failures_ever + counts.lost_ever) then return nil end
  if token ~= "-" and not name(token, 1, 64) then return nil end
  local known = how == "fail" or how == "release" or how == "reap" or how == "-"
  return known and counts or nil
end
