-- mend_tries: keep what can be read of tries whose form is broken, and let the totals count them.
-- KEYS  tries stats
-- USES  integer name in_range tries_of
local function mend_tries(fact, totals)
  if not fact.tries then return end
  local counts = tries_of(fact.tries)
  if not counts then
    local first, rest = fact.tries:match("^([^\n]*)\n?(.*)$")
    local numbers, errors = {}, {}
    for word in first:gmatch("%S+") do numbers[#numbers + 1] = integer(word, 0, 9999999999) end
    for line in rest:gmatch("[^\n]+") do
      if line:find('^{"attempt":%d+,.*}$') then errors[#errors + 1] = line .. "\n" end
    end
    while #errors > 10 do table.remove(errors, 1) end
    local failures, lost = numbers[1] or 0, numbers[2] or 0
    local lost_ever = math.max(numbers[4] or 0, lost)
    local failures_ever = math.max(numbers[3] or 0, failures, #errors - lost_ever)
    local first_line = ("%.0f %.0f %.0f %.0f - -\n"):format(
      failures, lost, failures_ever, lost_ever)
    fact.tries = first_line .. table.concat(errors)
    redis.call("HSET", tries, fact.id, fact.tries)
    counts = tries_of(fact.tries)
  end
  for total, least in pairs({ failed = counts.failures_ever, lost = counts.lost_ever }) do
    if (totals[total] or 0) < least then
      totals[total] = least
      redis.call("HSET", stats, total, ("%.0f"):format(least))
    end
  end
end
