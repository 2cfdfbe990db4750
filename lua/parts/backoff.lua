-- backoff: the pause before the next try in ms: base * factor^(n - 1), at most the cap, then the jitter.
-- The jitter comes from the clock and the id: math.random starts the same series with each server.
local function backoff(header, n, id, now_ms)
  local first = header.backoff_base_ms or default.job_backoff_base_ms
  local factor = header.backoff_factor or default.job_backoff_factor
  local cap = header.backoff_cap_ms or default.job_backoff_cap_ms
  local jitter = header.backoff_jitter or default.job_backoff_jitter
  if first == 0 then return 0 end
  local pause = math.min(first * factor ^ math.min(n - 1, 1000), cap)
  local seed = redis.sha1hex(id .. ("%.0f"):format(now_ms))
  local chance = tonumber(seed:sub(1, 8), 16) / 4294967295
  return math.floor(pause * (1 + jitter * (2 * chance - 1)))
end
