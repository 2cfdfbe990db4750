-- feed_job: tell of a job that it came into a state, where events are kept at all.
local function feed_job(feed, state, id)
  if not feed then return end
  local ids = feed[state] or {}
  feed[state], ids[#ids + 1] = ids, id
end
