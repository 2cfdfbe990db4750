-- again: the answer to a claim that was sent before: the jobs that are still leased under its token.
-- KEYS  jobs payloads running leases tries
-- USES  add_item time_ms split_record tried lease_fields
-- RARE  few calls do it
local function again(reply, width, leased_before, token, now)
  for id in leased_before:gmatch("%S+") do
    local lease = redis.call("HGET", leases, id)
    local lease_end = tonumber(redis.call("ZSCORE", running, id) or 0)
    local record = redis.call("HGET", jobs, id)
    if lease and record and lease_end > now and lease:sub(1, #token + 1) == token .. " " then
      local _, _, fence, attempt, _, place = lease_fields(lease)
      local _, lost, failures_ever = tried(redis.call("HGET", tries, id))
      local header, headers, payload = split_record(record)
      payload = payload or redis.call("HGET", payloads, id) or ""
      add_item(reply, width, { "JOB", id, header, headers, payload, tonumber(attempt),
        failures_ever, lost, fence, time_ms(lease_end), place })
    end
  end
  return reply
end
