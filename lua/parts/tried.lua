-- tried: the counts and the last end of a lease of a job's tries, and where in the entry its errors begin.
-- They are not captured: a pattern would go through their 40 KB byte by byte.
local function tried(entry)
  local failures, lost, failures_ever, lost_ever, token, how, errors_at =
    (entry or "0 0 0 0 - -\n"):match("^(%d+) (%d+) (%d+) (%d+) (%S+) (%S+)\n()")
  return tonumber(failures), tonumber(lost), tonumber(failures_ever), tonumber(lost_ever), token,
    how, errors_at
end
