-- operation_of: an operation as a table, or nil where the line is none that operate or a step wrote.
-- USES  cursor_ok
local function operation_of(id, line)
  local read, op = pcall(cjson.decode, line)
  if not read or type(op) ~= "table" or op.id ~= id then return nil end
  local words = {
    action = " replay cancel purge run_now ",
    state = " scheduled queued running retrying completed cancelled dead ",
    status = " counting running finished stopped refused ",
  }
  for member, known in pairs(words) do
    if type(op[member]) ~= "string" or op[member]:find("[^%w_]") then return nil end
    if not known:find(" " .. op[member] .. " ", 1, true) then return nil end
  end
  for _, member in ipairs({ "type", "error", "by", "cursor" }) do
    if type(op[member]) ~= "string" then return nil end
  end
  -- An operation that an older script began names no worker.
  if op.worker and type(op.worker) ~= "string" then return nil end
  if op.state == "running" and op.action ~= "cancel" then return nil end
  local most = 9007199254740991
  local numbers = {
    dry_run = 1, rate = 100000, as_of = 562949953421311, started_ms = most, total = most,
    looked_at = most, counted = most, done = most, skipped = most, paced_us = most,
  }
  for member, high in pairs(numbers) do
    local value = op[member]
    local whole = type(value) == "number" and value % 1 == 0
    if not whole or value < 0 or value > high then return nil end
  end
  for _, member in ipairs({ "since_ms", "until_ms", "expected", "ended_ms" }) do
    local value = op[member] or 0
    local whole = type(value) == "number" and value % 1 == 0
    if not whole or value < 0 or value > most then return nil end
  end
  return cursor_ok(op.cursor) and op or nil
end
