-- cut: the first bytes of a text, never ending inside a character of UTF-8.
local function cut(value, most)
  if #value <= most then return value end
  while most > 0 and value:sub(most + 1, most + 1):find("[\128-\191]") do most = most - 1 end
  return value:sub(1, most)
end
