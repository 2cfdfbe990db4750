-- advance: one step of an operation, kept with it: its next jobs are counted, or what it does is done to them.
-- Returns how many were counted or done, and in how many ms its rate allows more; 0 is now. `act` gets the
-- jobs, and tells of how many it was enough.
-- KEYS  operations jobs leases tries outcomes scheduled queued running retrying completed cancelled dead
-- USES  in_json set_of search came_later operation_line
local function advance(op, limit, now_ms, act)
  local counting, most = op.status == "counting", limit
  local paced = op.rate > 0 and not counting
  if paced then
    -- Time in which nobody asked for a step is not made up for, beyond a second.
    op.paced_us = math.max(op.paced_us, (now_ms - 1000) * 1000)
    most = math.min(limit, math.floor((now_ms * 1000 - op.paced_us) * op.rate / 1000000))
  end
  local function pause_ms()
    if not paced then return 0 end
    return math.max(0, math.ceil((op.paced_us + 1000000 / op.rate) / 1000) - now_ms)
  end
  if most < 1 then return 0, pause_ms() end
  local set = set_of(op.state)
  local filter = {
    type = op.type ~= "" and op.type, since_ms = op.since_ms, until_ms = op.until_ms,
    error = op.error ~= "" and in_json(op.error, 200) .. ",",
    worker = (op.worker or "") ~= "" and op.worker,
  }
  local found, looked, next_cursor, cursor_after = search(set, op.state, false, op.cursor, most,
    limit, filter, now_ms)
  local function end_after(job)
    if job.nth < looked then looked, next_cursor = job.nth, cursor_after(job.nth) end
  end
  local wanted, read = {}, 0
  for i, job in ipairs(found) do
    -- Results and errors are read whole, to see when a job ended.
    if read > 4000000 then
      end_after(found[i - 1])
      break
    end
    local later, bytes = came_later(op, job)
    if not later then wanted[#wanted + 1] = job end
    read = read + bytes
  end
  local count = #wanted
  if count > 0 and not counting then
    count = act(wanted)
    if count < #wanted then end_after(wanted[count]) end
  end
  op.cursor, op.looked_at = next_cursor, op.looked_at + looked
  op.skipped = op.skipped + looked - count
  if counting then op.counted = op.counted + count else op.done = op.done + count end
  if paced then op.paced_us = op.paced_us + math.ceil(count * 1000000 / op.rate) end
  if next_cursor == "" then
    op.status, op.ended_ms = "finished", now_ms
    if counting and op.dry_run == 0 then
      op.status = op.counted == op.expected and "running" or "refused"
      if op.status == "running" then
        op.ended_ms, op.looked_at, op.skipped, op.paced_us = nil, 0, 0, now_ms * 1000
      end
    end
  end
  redis.call("HSET", operations, op.id, operation_line(op))
  return count, op.ended_ms and 0 or pause_ms()
end
