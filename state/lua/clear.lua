-- Forgets the cells of a task. Nobody owns it then, its sequence is 0 again, and its epoch stays.
--
-- KEYS[1] head of the task (hash)   KEYS[2] staged commit (hash)   KEYS[3...] cells of every store of the task (hashes)
-- ARGV[1...] name of the store of each of KEYS[3...]
-- returns 'cleared' | 'unknown' (no such task) | 'again': the task has other stores than those named
local head, staged = KEYS[1], KEYS[2]
local epoch = redis.call('HGET', head, 'epoch')
if not epoch then return 'unknown' end
local named = {}
for i = 1, #ARGV do named['s:' .. ARGV[i]] = true end
for _, field in ipairs(redis.call('HKEYS', head)) do
  if string.sub(field, 1, 2) == 's:' and not named[field] then return 'again' end
end

redis.call('DEL', head)
redis.call('HSET', head, 'epoch', epoch, 'owner', '', 'sequence', '0', 'commit', '', 'redo', '0')
redis.call('UNLINK', staged)
for i = 3, #KEYS do redis.call('UNLINK', KEYS[i]) end
return 'cleared'
