-- place_of: where a job is, as a word; another one once it has moved, been altered, extended or asked to stop.
local function place_of(state, score, header, cancel)
  local priority = header:match('"priority":(%d)') or default.job_priority
  local asked = state == "running" and tonumber(cancel) == 1 and ":asked" or ""
  return ("%s:%.0f:%d%s"):format(state, score, priority, asked)
end
