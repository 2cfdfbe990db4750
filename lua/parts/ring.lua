-- ring: wake one blocked worker, unless a ring is still unheard.
-- KEYS  bell
local function ring()
  if redis.call("LLEN", bell) == 0 then redis.call("RPUSH", bell, "1") end
end
