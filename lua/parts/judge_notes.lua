-- judge_notes: what is wrong with what the handler of a job told.
-- USES  notes_sound
local function judge_notes(fact, add)
  if fact.notes and not notes_sound(fact.notes) then add("NOTES_BROKEN") end
end
