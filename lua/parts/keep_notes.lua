-- keep_notes: keep what a handler told of its job: the last it said of its progress, and of its log the last 100
-- lines, 16 KiB. A line is counted from the start of the attempt, so that one told twice is kept once.
-- KEYS  notes
-- USES  in_json line_starts
-- RARE  few calls do it
local function keep_notes(id, attempt, note, now_ms)
  local kept = redis.call("HGET", notes, id) or ""
  local of, count, last, log_at = kept:match('^{"attempt":(%d+),"lines":(%d+)([^\n]*)}\n()')
  if tonumber(of) ~= tonumber(attempt) then count, last = 0, "" end
  if note.progress then
    local said = (',"progress":%.6g,"text":%s'):format(note.progress, in_json(note.text, 200))
    if last:sub(-#said) ~= said then last = (',"at_ms":%.0f'):format(now_ms) .. said end
  end
  count = tonumber(count)
  local log, nth = { kept:sub(log_at or 1) }, note.before or count
  for _, line in ipairs(note) do
    nth = nth + 1
    if nth > count then
      log[#log + 1] = ('{"at_ms":%.0f,"attempt":%d,"line":%s}\n'):format(
        now_ms, attempt, in_json(line, 1000))
    end
  end
  local lines = table.concat(log)
  local starts = line_starts(lines, 1)
  local first = math.max(1, #starts - 99)
  while starts[first] and #lines - starts[first] >= 16384 do first = first + 1 end
  redis.call("HSET", notes, id, ('{"attempt":%d,"lines":%d%s}\n'):format(
    attempt, math.max(count, nth), last) .. lines:sub(starts[first] or 1))
end
