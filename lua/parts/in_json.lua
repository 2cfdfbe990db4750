-- in_json: the beginning of a text as JSON that takes at most so many bytes between its quotes.
-- USES  cut
local function in_json(value, most)
  local kept = cut(value, most)
  local written = cjson.encode(kept)
  while #written > most + 2 do
    kept = cut(kept, math.min(#kept - 1, math.floor(#kept * most / #written)))
    written = cjson.encode(kept)
  end
  return written
end
