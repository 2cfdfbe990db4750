-- lease_of: a lease as a table, or nil where it has not the form that claim gives it.
-- In an outcome `bare` may stand for a job that ended under no lease.
-- USES  integer name text in_range
local function lease_of(entry, bare)
  local token, retention, lease_ms, first_end, attempt, claimed_ms, place, cancel, worker =
    entry:match("^(%S+) (%S+) (%d+) (%d+) (%d+) (%d+) (%S+) ([01]) (.*)$")
  if not token then return nil end
  local lease = {
    token = token, retention = retention, lease_ms = integer(lease_ms, 0, 86400000),
    first_end = integer(first_end, 0, 562949953421311), attempt = integer(attempt, 0, 9999999999),
    claimed_ms = integer(claimed_ms, 0, 9007199254740991), place = tonumber(place),
    cancel = cancel, worker = worker,
  }
  if not (lease.lease_ms and lease.first_end and lease.attempt and lease.claimed_ms) then
    return nil
  end
  if not in_range(lease.place, 0, 9007199254740991) then return nil end
  lease.fence = lease.first_end - lease.lease_ms * 512
  if retention ~= "-" and not in_range(retention, 0, 315360000000) then return nil end
  if bare and token == "-" then return lease end
  if lease.lease_ms < 100 or lease.fence < 0 or lease.attempt < 1 then return nil end
  return name(token, 1, 64) and text(worker, 1, 128) and lease
end
