-- What a script may name: Lua 5.1 as Redis offers it, and nothing that reads a clock or the system.
std = {
  read_globals = {
    "ARGV", "KEYS", "cjson", "error", "ipairs", "math", "next", "pairs", "pcall", "redis", "select",
    "string", "table", "tonumber", "tostring", "type", "unpack",
  },
}
max_line_length = 100
-- No bound on complexity: the checks that the compiler writes are one branch an argument.
max_cyclomatic_complexity = false
