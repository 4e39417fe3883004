-- Says which chunks of a valid staged commit are still to be applied.
--
-- KEYS[1] head of the task (hash)   KEYS[2] staged commit (hash)
-- returns {} when there is nothing to do, else { commit id, store of chunk 0, store of chunk 1... }; the store of a chunk
-- that is already applied is false (nil for the caller)
local head, staged = KEYS[1], KEYS[2]
local id, redo = unpack(redis.call('HMGET', head, 'commit', 'redo'))
if not redo or redo == '0' then return {} end
local stores = cmsgpack.unpack(redis.call('HGET', staged, 'stores'))
local answer = { id }
for chunk = 1, #stores do
  local waiting = redis.call('HEXISTS', staged, 'p' .. (chunk - 1)) == 1
  answer[chunk + 1] = waiting and stores[chunk] or false
end
return answer
