-- mend_notes: let go of what a handler told where its form is broken: it is for people alone.
-- KEYS  notes
-- USES  notes_sound
local function mend_notes(fact)
  if fact.notes and not notes_sound(fact.notes) then redis.call("HDEL", notes, fact.id) end
end
