-- judge_job: all that is wrong with what is kept under one id, as words; none where all is well.
-- USES  name header_of judge_place judge_lease judge_end judge_tries judge_notes
local function judge_job(fact, rules, remembered, totals, now)
  local faults = {}
  local function add(word) faults[#faults + 1] = word end
  if not fact.record then
    local left = {}
    for _, state in ipairs(fact.states) do left[#left + 1] = state end
    for _, part in ipairs({ "payload", "lease", "tries", "outcome", "notes" }) do
      if fact[part] then left[#left + 1] = part end
    end
    if #left > 0 then add("NO_RECORD:" .. table.concat(left, ",")) end
    return faults
  end
  fact.state = #fact.states == 1 and fact.states[1] or nil
  fact.header = header_of(fact.record, rules)
  fact.named = name(fact.id, 1, 128) and fact.id ~= "status" and fact.id ~= "batch"
  if not fact.named then add("BAD_ID") end
  if not fact.header then add("RECORD_BROKEN") end
  judge_place(fact, add)
  judge_lease(fact, add, remembered, totals.stamp, now)
  judge_end(fact, add, totals.stamp)
  judge_tries(fact, add, totals)
  judge_notes(fact, add)
  return faults
end
