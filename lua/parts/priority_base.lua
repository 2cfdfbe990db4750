-- priority_base: what a job's priority adds to its stamp in the set `queued`.
local function priority_base(record)
  local priority = record:match('^[^\n]*"priority":(%d)') or default.job_priority
  return (9 - priority) * 562949953421312
end
