-- judge_stats: what is wrong with the stamp and the totals of a queue, seen beside what it holds.
-- `need` is, for each total, the least that it has to be; `gone` how many jobs nothing accounts for.
-- KEYS  jobs completed cancelled dead stats
-- USES  integer totals_of shown
local function judge_stats(add, totals, names)
  local known, stored = {}, redis.call("HLEN", stats)
  for _, total in ipairs(names) do known[total] = true end
  local found = stored <= 200 and redis.call("HGETALL", stats) or { tostring(stored), "" }
  for i = 1, #found, 2 do
    if not known[found[i]] then
      add("STAT_UNKNOWN:" .. shown(found[i]))
    elseif found[i] ~= "stamp" and not totals[found[i]] then
      add("STAT_BROKEN:" .. found[i])
    end
  end
  local kept = redis.call("HLEN", jobs)
  local stamp = redis.call("HGET", stats, "stamp")
  if stamp and not integer(stamp, 0, 562949953421311) or not stamp and kept > 0 then
    add("STAMP_BROKEN")
  end
  local function total(which) return totals[which] or 0 end
  local done = redis.call("ZCARD", completed)
  local left = total("purged") + total("trimmed") + total("dead_trimmed")
  local need = {
    enqueued = kept + left, completed = done, cancelled = redis.call("ZCARD", cancelled),
    died = redis.call("ZCARD", dead),
  }
  for _, which in ipairs({ "enqueued", "completed", "cancelled", "died" }) do
    if total(which) < need[which] then add("TOTAL_LOW:" .. which) end
  end
  -- What was acked and kept for no time has left no other trace.
  local gone = total("enqueued") - kept - left - total("missing")
    - math.max(0, total("completed") - done)
  if gone > 0 then add(("UNACCOUNTED:%d"):format(gone)) end
  return need, gone
end
