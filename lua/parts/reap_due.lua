-- reap_due: end the leases that ran out: the job is retried, queued, buried or cancelled; `limit` at most.
-- A lost lease uses no attempt but is counted, so that a job which kills its worker is buried in the end.
-- KEYS  jobs running leases tries queued retrying dead cancelled outcomes stats
-- USES  feed_job stamps note_try lease_fields backoff finish leave_running read_header priority_base
local function reap_due(now_ms, now, limit, keep_dead_ms, keep_cancelled_ms, feed)
  local due = redis.call("ZRANGE", running, "-inf", now, "BYSCORE", "LIMIT", "0", limit)
  if #due == 0 then return 0 end
  local first, read = stamps(now, #due), 0
  for i, id in ipairs(due) do
    -- With full histories of errors 500 would be 20 MB: the rest is for the next call.
    if read > 4000000 then return i - 1 end
    local record, stamp = redis.call("HGET", jobs, id), first + i - 1
    local lease = redis.call("HGET", leases, id) or "- - 0 0 0 0 0 0 unknown"
    local token, _, _, _, _, _, cancel, worker = lease_fields(lease)
    leave_running(id)
    if not record then
      redis.call("HINCRBY", stats, "missing", "1")
    else
      local failures, lost, bytes = note_try(id, token, "reap", 0, 1, {
        type = "LeaseLost", message = "the lease ran out before the job was acked", stack = "",
        worker = worker, at_ms = now_ms,
      })
      read = read + bytes
      local header = read_header(record)
      local pause = backoff(header, failures + lost, id, now_ms)
      redis.call("HINCRBY", stats, "lost", "1")
      local into = "retrying"
      if cancel == "1" then
        into = "cancelled"
        finish(cancelled, id, "reap", lease, stamp, keep_cancelled_ms, now_ms)
        redis.call("HINCRBY", stats, "cancelled", "1")
      elseif lost > (header.max_lost or default.job_max_lost) then
        into = "dead"
        finish(dead, id, "reap", lease, stamp, keep_dead_ms, now_ms)
        redis.call("HINCRBY", stats, "died", "1")
      elseif pause == 0 then
        into = "queued"
        redis.call("ZADD", queued, ("%.0f"):format(priority_base(record) + stamp), id)
      else
        redis.call("ZADD", retrying, ("%.0f"):format(stamp + pause * 512), id)
      end
      feed_job(feed, "lost", id)
      feed_job(feed, into, id)
    end
  end
  return #due
end
