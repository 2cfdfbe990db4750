-- text: the value if it has no control bytes and a length in the range, else nil.
local function text(value, least, most)
  if not value or #value < least or #value > most or value:find("%c") then return nil end
  return value
end
