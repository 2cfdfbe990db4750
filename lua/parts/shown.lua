-- shown: what a word can show of a name that somebody made up.
local function shown(value)
  return (value:sub(1, 40):gsub("[^%w_.-]", "?"))
end
