-- judge_settings: what is wrong with the settings of a queue.
-- KEYS  settings
-- USES  integer number text shown
local function judge_settings(add)
  local check, rules = { integer = integer, number = number, text = text }, {}
  for _, rule in ipairs(default.every) do rules[rule[1]] = rule end
  local stored, value_of = redis.call("HLEN", settings), {}
  if stored > 200 then
    add("SETTING_UNKNOWN:" .. stored)
    return
  end
  local found = redis.call("HGETALL", settings)
  for i = 1, #found, 2 do
    local rule, value = rules[found[i]], found[i + 1]
    value_of[found[i]] = value
    if not rule then
      add("SETTING_UNKNOWN:" .. shown(found[i]))
    elseif check[rule[2]](value, rule[3], rule[4]) == nil then
      add("SETTING_BROKEN:" .. rule[1])
    end
  end
  -- Both are written by a pause, and go together when it ends.
  if (value_of.paused == "1") ~= (value_of.paused_at_ms ~= nil) then
    add("SETTING_BROKEN:paused_at_ms")
  end
end
