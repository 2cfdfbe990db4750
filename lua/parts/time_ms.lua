-- time_ms: the time that a stamp, or a score made of one, stands for.
local function time_ms(score)
  return (score - score % 512) / 512 + 1735689600000
end
