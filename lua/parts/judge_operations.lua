-- judge_operations: name the operations of a queue whose line cannot be read; they are told as they are found.
-- KEYS  operations
-- USES  shown cursor_ok operation_of
local function judge_operations(add)
  local kept, broken = redis.call("HLEN", operations), {}
  if kept > 200 then
    add("OPERATION_BROKEN:" .. kept)
    return broken
  end
  local found = redis.call("HGETALL", operations)
  for i = 1, #found, 2 do
    if not operation_of(found[i], found[i + 1]) then
      broken[#broken + 1] = found[i]
      add("OPERATION_BROKEN:" .. shown(found[i]))
    end
  end
  return broken
end
