-- clock: the server's time, in milliseconds and as the last stamp of this millisecond.
-- Read once a script: on Redis 7.0 time passes while a script runs. 512 stamps a millisecond, since 2025.
local function clock()
  local time = redis.call("TIME")
  local now_ms = time[1] * 1000 + math.floor(time[2] / 1000)
  return now_ms, (now_ms - 1735689600000) * 512 + 511
end
