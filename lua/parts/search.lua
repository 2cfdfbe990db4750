-- search: the jobs of a set after a cursor that a filter asks for, how many were looked at, the next cursor,
-- and a function that makes the cursor of a search which ends already after its nth look. It ends after `limit` jobs, `scan` looks, or 2 MB of what had to be read to tell.
-- KEYS  jobs leases tries outcomes
-- USES  page matches
local function search(set, state, newest, cursor, limit, scan, filter, now_ms)
  local ids, scores, _, next_cursor, cursor_after = page(set, cursor, scan, newest, now_ms)
  local found, looked, size, records = {}, 0, 0, nil
  while looked < #ids and #found < limit and size < 2000000 do
    if looked % 50 == 0 then
      records = redis.call("HMGET", jobs, unpack(ids, looked + 1, math.min(looked + 50, #ids)))
    end
    looked = looked + 1
    local id, score, record = ids[looked], tonumber(scores[looked]), records[(looked - 1) % 50 + 1]
    if record then
      local wanted, read, at_ms, line = matches(id, state, score, record, filter)
      size = size + #record + read
      if wanted then
        found[#found + 1] = {
          id = id, score = score, record = record, at_ms = at_ms, error = line, nth = looked,
        }
      end
    end
  end
  if looked < #ids then next_cursor = cursor_after(looked) end
  return found, looked, next_cursor, cursor_after
end
