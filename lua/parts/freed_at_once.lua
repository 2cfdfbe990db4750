-- freed_at_once: the first of these jobs, as many as one call may forget: for 1 MiB of payload that takes 0.1 ms.
-- KEYS  payloads
local function freed_at_once(ids)
  if redis.call("HLEN", payloads) == 0 then return ids end
  local size = 0
  for i, id in ipairs(ids) do
    size = size + redis.call("HSTRLEN", payloads, id)
    if size > 64000000 then return { unpack(ids, 1, i) } end
  end
  return ids
end
