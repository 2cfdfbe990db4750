-- header_rules: the least and the most of each number in a header; made once a call.
local function header_rules()
  return {
    created_ms = { 0, 9007199254740991 }, priority = { 0, 9 }, max_attempts = { 1, 1000 },
    max_lost = { 0, 1000 }, timeout_ms = { 0, 315360000000 }, retention_ms = { 0, 315360000000 },
    backoff_base_ms = { 0, 315360000000 }, backoff_cap_ms = { 0, 315360000000 },
    headers_bytes = { 1, 4096 }, payload_bytes = { 4097, 8000000 },
    backoff_factor = { 1, 1000, true }, backoff_jitter = { 0, 1, true },
  }
end
