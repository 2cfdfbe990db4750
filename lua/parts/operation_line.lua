-- operation_line: an operation as the line of JSON in which it is kept.
local function operation_line(op)
  local members = {}
  local numbers = { "dry_run", "since_ms", "until_ms", "rate", "expected", "as_of", "started_ms",
    "ended_ms", "total", "looked_at", "counted", "done", "skipped", "paced_us" }
  for _, member in ipairs({ "id", "action", "state", "status", "type", "error", "worker",
    "by", "cursor" }) do
    members[#members + 1] = ('"%s":%s'):format(member, cjson.encode(op[member] or ""))
  end
  for _, member in ipairs(numbers) do
    if op[member] then members[#members + 1] = ('"%s":%.0f'):format(member, op[member]) end
  end
  return "{" .. table.concat(members, ",") .. "}"
end
