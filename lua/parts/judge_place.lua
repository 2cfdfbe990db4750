-- judge_place: what is wrong with the sets that a job is in, and with its payload.
-- USES  in_range
local function judge_place(fact, add)
  local header, score = fact.header, fact.score
  if #fact.states == 0 then add("NO_SET") end
  if #fact.states > 1 then add("TWO_SETS:" .. table.concat(fact.states, ",")) end
  for _, state in ipairs(fact.states) do
    local most = state == "queued" and 5629499534213119 or 562949953421311
    if not in_range(score[state], 0, most) then add("SCORE_BROKEN:" .. state) end
  end
  if not header then return end
  if in_range(score.queued, 0, 5629499534213119)
    and 9 - math.floor(score.queued / 562949953421312)
      ~= (header.priority or default.job_priority) then
    add("PRIORITY")
  end
  local apart = header.payload_bytes
  if apart and not fact.payload then
    -- A completed job has let go of it, unless the queue keeps payloads.
    local acked = #fact.states == 0 and fact.outcome and fact.outcome:sub(1, 4) == "ack "
    if not score.completed and not acked then add("PAYLOAD_MISSING") end
  elseif apart and fact.payload ~= apart then
    add("PAYLOAD_SIZE")
  elseif fact.payload and not apart then
    add("PAYLOAD_EXTRA")
  end
end
