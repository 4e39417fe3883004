-- Reads committed cells of one store in one step, so that half of a commit is never seen.
--
-- KEYS[1] head of the task (hash)   KEYS[2] cells of the store (hash)
-- ARGV[1] 'one' or 'all'   ARGV[2] 'one': the key; 'all': at most so many cells at once
-- returns { 'cells', { key, value, key, value... }, epoch, sequence }; cells are in no order
--       | { 'redo' }: a valid staged commit comes first (apply.lua), then ask again
--       | { 'large' }: more cells than asked for at once
local redo, epoch, sequence = unpack(redis.call('HMGET', KEYS[1], 'redo', 'epoch', 'sequence'))
if redo and redo ~= '0' then return { 'redo' } end
if ARGV[1] == 'one' then
  local value = redis.call('HGET', KEYS[2], ARGV[2])
  return { 'cells', value and { ARGV[2], value } or {}, epoch or '0', sequence or '0' }
end
if redis.call('HLEN', KEYS[2]) > tonumber(ARGV[2]) then return { 'large' } end
return { 'cells', redis.call('HGETALL', KEYS[2]), epoch or '0', sequence or '0' }
