-- read_told: what handlers tell of their jobs, by the number of the item: how many lines of the log were told before,
-- or nil; how far it is, or nil; at what; and the lines. Nil where it has not the form that `told` asks for.
-- USES  line_starts
local function read_told(told, count)
  local function decimal(word, pattern, most)
    local value = #word < 16 and word:find(pattern) and tonumber(word)
    return word ~= "-" and value and value <= most and value or nil
  end
  local notes_of, note, left = {}, nil, 0
  for _, start in ipairs(line_starts(told, 1)) do
    local line = told:match("[^\n]*", start)
    if left > 0 then
      left, note.size, note[#note + 1] = left - 1, note.size + #line, line
      if note.size > 4096 then return nil end
    else
      local item, lines, before, progress, text = line:match("^(%d+) (%d+) (%S+) (%S+) ?(.*)$")
      local nth = item and decimal(item, "^[1-9]%d*$", count)
      left = nth and decimal(lines, "^%d+$", 4096)
      if not left or #text > 200 then return nil end
      note = {
        before = decimal(before, "^%d+$", 999999999),
        progress = decimal(progress, "^%d+%.?%d*$", 1), text = text, size = 0,
      }
      if before ~= "-" and not note.before or progress ~= "-" and not note.progress then
        return nil
      end
      notes_of[nth] = note
    end
  end
  return left == 0 and notes_of or nil
end
