-- options: the numbers that a text of words `name=value` chooses, by name; or nil, and the refusal of a bad word.
-- A rule is `an integer` or `a number`, the least and the most.
-- USES  integer number bad_argument
-- RARE  most calls choose nothing
local function options(words, rules)
  local chosen = {}
  for word in words:gmatch("[^ ]+") do
    local option, value = word:match("^([%l_]+)=(.*)$")
    local rule = rules[option or ""]
    if not rule or chosen[option] then
      local names = {}
      for known in pairs(rules) do names[#names + 1] = known end
      table.sort(names)
      return nil, bad_argument("options",
        "words name=value, each name once, of " .. table.concat(names, " "), word)
    end
    local check = rule[1] == "an integer" and integer or number
    chosen[option] = check(value, rule[2], rule[3])
    if not chosen[option] then
      return nil, bad_argument(option, rule[1] .. " " .. rule[2] .. ".." .. rule[3], value)
    end
  end
  return chosen
end
