-- lease_fields: token, retention, fence, attempt, time of the claim, old place, cancel asked and worker of a lease.
local function lease_fields(lease)
  local token, retention, lease_ms, first_end, attempt, claimed_ms, place, cancel, worker =
    lease:match("^(%S+) (%S+) (%d+) (%d+) (%d+) (%d+) (%S+) (%d) (.*)$")
  return token, retention, first_end - lease_ms * 512, attempt, claimed_ms, place, cancel, worker
end
