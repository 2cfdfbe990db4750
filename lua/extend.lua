#!lua flags=allow-oom
-- extend 2: lengthen leases that are still held, and hear whether a cancel was asked.
--
-- A lease is never shortened, so a late repeat is harmless. One that ran out is not revived, also when
-- nobody has reaped it yet.
--
-- KEYS  jobs running leases claim_ends tries outcomes settings notes
-- ARGV
--   lease_ms  integer  100..86400000  how long the leases last from now
--   told      bytes?   1..2600000     of handlers, for each that tells something: a line `item lines before progress
--         text`, then so many lines of its log, 4096 bytes at most: item counts from 1; before is how
--         many lines it told before in this attempt, or -; progress is 0 to 1, or -; text 200 bytes
-- EACH  1..500
--   id     name    1..128   the job
--   token  name    1..64    the claim under which it is held
-- REPLIES
--   EXTENDED  now_ms:integer, then for each job, in order, one of:
--     HELD        lease_end_ms:integer cancel:integer   held until then; cancel is 1 if it was asked
--     LEASE_LOST  the lease ran out, or was never held
--     UNKNOWN     nothing is kept of such a job
-- ERRORS  BAD_ARGUMENT BAD_KEYS UPGRADE
-- COST    O(n log m), n = jobs given, m = jobs leased
-- USES    integer name bad_argument add_item clock time_ms tried lease_fields digits is_due held
--         not_held cut in_json line_starts read_told keep_notes

-- bound by `make lua` from the header above; edit the header instead
local LEVEL = 1
local WIDTH = 3
local key_base, queue = string.match(KEYS[1] or "", "^([^{}]+1:{(%w[%w_.-]*)}:)jobs$")
if not key_base or #queue > 128 or #KEYS ~= 8
  or table.concat(KEYS, ",") ~= key_base .. "jobs," .. key_base .. "running,"
  .. key_base .. "leases," .. key_base .. "claim_ends," .. key_base .. "tries,"
  .. key_base .. "outcomes," .. key_base .. "settings," .. key_base .. "notes"
then
  return { "BAD_KEYS", "extend takes these keys of one queue, in this order: jobs running leases "
    .. "claim_ends tries outcomes settings notes" }
end
local jobs, running, leases, claim_ends, tries, outcomes, settings, notes = unpack(KEYS)
local ARGV = ARGV
-- parts: integer name bad_argument add_item clock time_ms tried lease_fields digits is_due held
--   not_held cut in_json line_starts read_told keep_notes
local count = (#ARGV - 2) / 2
if count < 1 or count > 500 or count % 1 ~= 0 then
  return { "BAD_ARGUMENT", "extend takes 2 arguments and then 2 for each of 1..500 "
    .. "items, not " .. #ARGV }
end
local lease_ms = integer(ARGV[1], 100, 86400000)
if lease_ms == nil then
  return bad_argument("lease_ms", "an integer 100..86400000", ARGV[1])
end
local told = ARGV[2] ~= "" and (#ARGV[2] >= 1 and #ARGV[2] <= 2600000 and ARGV[2] or nil)
if told == nil then
  return bad_argument("told", "1..2600000 bytes long, or empty", ARGV[2])
end
local id, token = { nil }, { nil }
for nth = 1, count do
  local at = 2 * nth
  local given = ARGV[at + 1]
  if not name(given, 1, 128) then
    return bad_argument(("item %d: id"):format(nth),
      "1..128 letters, digits or _ . - and first a letter or digit", given)
  end
  id[nth] = given
  given = ARGV[at + 2]
  if given ~= token[nth - 1] and not name(given, 1, 64) then
    return bad_argument(("item %d: token"):format(nth),
      "1..64 letters, digits or _ . - and first a letter or digit", given)
  end
  token[nth] = given
end
local in_force = { needs = redis.call("HGET", settings, "needs") }
if tonumber(in_force.needs or 1) > LEVEL then
  return { "UPGRADE", ("queue %s needs level %s, this script is %d"):format(
    queue, in_force.needs, LEVEL) }
end
-- end of bound

local told_of = {}
if told then
  told_of = read_told(told, count)
  if not told_of then return bad_argument("told", "of the form that is documented", told) end
  redis.call("HLEN", notes)
end

local now_ms, now = clock()
local lease = held(id, token, now)
local until_then = now - 511 + lease_ms * 512
redis.call("ZCARD", claim_ends)
local reply, entries, ends, noted, last = { "EXTENDED", now_ms }, {}, {}, {}, nil
for i = 1, count do
  if lease[i] then
    local _, _, _, attempt, _, _, cancel = lease_fields(lease[i])
    -- A score of its own for each job: where hundreds share one, list cannot tell its pages apart.
    entries[#entries + 1], entries[#entries + 2] = ("%.0f"):format(until_then + i - 1), id[i]
    if token[i] ~= last then
      ends[#ends + 1], ends[#ends + 2], last = ("%.0f"):format(until_then), token[i], token[i]
    end
    if told_of[i] then noted[#noted + 1] = { id[i], attempt, told_of[i] } end
    add_item(reply, WIDTH, { "HELD", 0, tonumber(cancel) })
  else
    add_item(reply, WIDTH, { not_held(id[i], token[i], "extend") })
  end
end
if #entries > 0 then
  redis.call("ZADD", running, "XX", "GT", unpack(entries))
  -- A claim is remembered for as long as one of its leases: until then its repeat takes nothing new.
  redis.call("ZADD", claim_ends, "XX", "GT", unpack(ends))
  for _, note in ipairs(noted) do keep_notes(note[1], note[2], note[3], now_ms) end
  for i, lease_end in ipairs(redis.call("ZMSCORE", running, unpack(id))) do
    if lease[i] then reply[WIDTH * i + 1] = time_ms(lease_end) end
  end
end
return reply
