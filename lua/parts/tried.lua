-- tried: the counts, the last end of a lease and the errors that are kept of a job's tries.
local function tried(entry)
  local failures, lost, failures_ever, lost_ever, token, how, errors =
    (entry or "0 0 0 0 - -\n"):match("^(%d+) (%d+) (%d+) (%d+) (%S+) (%S+)\n(.*)$")
  return tonumber(failures), tonumber(lost), tonumber(failures_ever), tonumber(lost_ever), token,
    how, errors
end
