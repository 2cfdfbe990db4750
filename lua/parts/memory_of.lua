-- memory_of: a function that tells whether a claim is remembered, and that it leased this job.
-- A repeat of the claim needs both. No %s here: it ends at a NUL byte.
-- KEYS  claims claim_ends
local function memory_of(wrong)
  local known = {}
  return function(token, id)
    if wrong.claims or wrong.claim_ends then return true end
    if not known[token] then
      local ids = redis.call("HGET", claims, token)
      local ends = ids and redis.call("ZSCORE", claim_ends, token)
      known[token] = ends and " " .. ids .. " " or " "
    end
    return known[token]:find(" " .. id .. " ", 1, true) ~= nil
  end
end
