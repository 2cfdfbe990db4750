-- bad_argument: the refusal of a value; names the thing, the rule and the case.
local function bad_argument(what, rule, value)
  if not value then return { "BAD_ARGUMENT", ("%s must be %s"):format(what, rule) } end
  local shown = ("'%s'"):format((value:sub(1, 40):gsub("[%c\128-\255]", "?")))
  if #value > 40 then shown = shown .. (" (%d bytes)"):format(#value) end
  return { "BAD_ARGUMENT", ("%s must be %s, not %s"):format(what, rule, shown) }
end
