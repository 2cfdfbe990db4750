-- judge_claim: what is wrong with the memory of a claim: its ids and its end, which are kept together.
-- The bytes read are told, too.
-- KEYS  claims claim_ends
-- USES  name in_range
local function judge_claim(token, wrong)
  local ids = not wrong.claims and redis.call("HGET", claims, token)
  local ends = not wrong.claim_ends and redis.call("ZSCORE", claim_ends, token)
  local read = #(ids or "")
  if not ids and not ends then return {}, read end
  if not ids then return { "CLAIM_NO_IDS" }, read end
  if not ends then return { "CLAIM_NO_END" }, read end
  local names_alone = name(token, 1, 64) and ids ~= "" and not ids:find("[^%w_. -]")
    and not (" " .. ids .. " "):find(" [^%w]")
  local sound = names_alone and in_range(tonumber(ends), 0, 562949953421311)
  return sound and {} or { "CLAIM_BROKEN" }, read
end
