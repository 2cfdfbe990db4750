-- ring: wake one blocked worker, unless a ring is still unheard; `unheard`: how many, where the caller knows.
-- KEYS  bell
local function ring(unheard)
  if (unheard or redis.call("LLEN", bell)) == 0 then redis.call("RPUSH", bell, "1") end
end
