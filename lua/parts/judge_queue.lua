-- judge_queue: what is wrong with a queue beyond its jobs, as words; its operations, series and events where it is judged
-- alone.
-- KEYS  jobs completed cancelled dead stats settings bell operations series events
-- USES  integer number text shown totals_of judge_settings judge_stats judge_operations
--       judge_series judge_events
local function judge_queue(wrong, totals, names, alone, keep_events)
  local faults, parts = {}, {}
  local function add(word) faults[#faults + 1] = word end
  for part in pairs(wrong) do parts[#parts + 1] = part end
  table.sort(parts)
  for _, part in ipairs(parts) do add(("TYPE:%s,%s"):format(part, wrong[part])) end
  judge_settings(add)
  if not wrong.bell and redis.call("LLEN", bell) > 1 then add("BELL_LONG") end
  local broken = {
    operations = alone and not wrong.operations and judge_operations(add) or {},
    series = alone and not wrong.series and judge_series(add) or {},
    events = alone and not wrong.events and judge_events(add, keep_events) or {},
  }
  if wrong.stats or wrong.jobs or wrong.completed or wrong.cancelled or wrong.dead then
    return faults
  end
  local need, gone = judge_stats(add, totals, names)
  return faults, need, gone, broken
end
