-- cursor_ok: whether a text is a cursor that an earlier answer gave, or empty.
local function cursor_ok(cursor)
  local bound, score = cursor:match("^%d+ ([%d.e+-]+) ([%d.e+-]+) %w[%w_.-]*$")
  return cursor == "" or (tonumber(bound or "none") and tonumber(score)) ~= nil
end
