-- matches: whether a job is one that a filter asks for, the bytes read to tell, its time and last error.
-- What is not asked for is not read; `whole` asks for both.
-- KEYS  leases tries outcomes
-- USES  time_ms moment_of last_error
local function matches(id, state, score, record, filter)
  local read, at_ms, line = 0, nil, nil
  if filter.type and record:match('^{"type":"([^"]*)"') ~= filter.type then return false, 0 end
  if filter.worker or filter.since_ms or filter.until_ms or filter.whole then
    local worker
    at_ms, worker, read = moment_of(id, state, score, filter.worker)
    if filter.worker and worker ~= filter.worker
      or filter.since_ms and at_ms < filter.since_ms
      or filter.until_ms and at_ms >= filter.until_ms then return false, read end
  end
  if filter.error or filter.whole then
    local size
    line, size = last_error(id)
    read = read + size
    local _, start = line:find('^{"attempt":%d+,"type":')
    local wanted = filter.error or ""
    if filter.error and (not start or line:sub(start + 1, start + #wanted) ~= wanted) then
      return false, read
    end
  end
  return true, read, at_ms, line
end
