-- notes_sound: whether what is kept of what a handler told has its form; lines of JSON are seen from outside.
-- USES  line_starts
local function notes_sound(entry)
  local _, ends = entry:find('^{"attempt":%d+,"lines":%d+')
  local starts = line_starts(entry, 1)
  if not ends or entry:sub(-1) ~= "\n" or #starts > 101 or #entry > 20000 then return false end
  for nth, start in ipairs(starts) do
    local last = (starts[nth + 1] or #entry + 1) - 2
    local opens = nth == 1 or entry:find('^{"at_ms":%d+,"attempt":%d+,"line":"', start)
    if not opens or entry:sub(last, last) ~= "}" then return false end
  end
  return true
end
