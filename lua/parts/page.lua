-- page: the next ids of a set after a cursor, their scores, when the sweep began, the next cursor; and
-- a function that makes the cursor of a page which ends already after its nth id.
-- A cursor is `began_ms bound score id`. The bound is the far end as it was at the start, so that a sweep
-- ends however fast the set grows; the next cursor is empty once the end is reached.
local function page(set, cursor, limit, newest, now_ms)
  local began_ms, bound, score, last = cursor:match("^(%d+) (%S+) (%S+) (%S+)$")
  if not began_ms then
    local far = newest and 0 or -1
    began_ms = ("%.0f"):format(now_ms)
    bound = redis.call("ZRANGE", set, far, far, "WITHSCORES")[2]
    if not bound then return {}, {}, now_ms, "" end
    score, last = newest and "+inf" or "-inf", nil
  end
  local function before(a, b)
    for i = 1, math.min(#a, #b) do
      if a:byte(i) ~= b:byte(i) then return a:byte(i) < b:byte(i) end
    end
    return #a < #b
  end
  local found
  local most = last and limit + 100 or limit -- some of the same score may have been given already
  if newest then
    found = redis.call("ZREVRANGEBYSCORE", set, score, bound, "WITHSCORES", "LIMIT", "0", most)
  else
    found = redis.call("ZRANGEBYSCORE", set, score, bound, "WITHSCORES", "LIMIT", "0", most)
  end
  local ids, scores = {}, {}
  for i = 1, #found, 2 do
    local id, at = found[i], found[i + 1]
    local tie = last and tonumber(at) == tonumber(score)
    local given = tie and (id == last or before(id, last) == not newest)
    if not given and #ids < limit then ids[#ids + 1], scores[#scores + 1] = id, at end
  end
  local function cursor_after(nth)
    return table.concat({ began_ms, bound, scores[nth], ids[nth] }, " ")
  end
  local next_cursor = #ids == limit and cursor_after(limit) or ""
  return ids, scores, tonumber(began_ms), next_cursor, cursor_after
end
