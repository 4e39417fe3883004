-- Makes an owner of a task: epoch + 1 and the given owner, in one step. Sent twice, it counts once.
-- An unfinished staged commit that was never made valid is thrown away.
--
-- KEYS[1] head of the task (hash)   KEYS[2] staged commit (hash)
-- ARGV[1] owner, random, fresh for this claim
-- returns { epoch, sequence, chunks }: chunks > 0 means that a valid staged commit is still to be applied (apply.lua)
local head, staged = KEYS[1], KEYS[2]
local owner, epoch, sequence, redo = unpack(redis.call('HMGET', head, 'owner', 'epoch', 'sequence', 'redo'))
redo = redo or '0'
if owner ~= ARGV[1] then
  epoch = tostring(tonumber(epoch or '0') + 1)
  redis.call('HSET', head, 'owner', ARGV[1], 'epoch', epoch, 'sequence', sequence or '0')
  if redo == '0' then redis.call('UNLINK', staged) end
end
return { epoch, sequence or '0', redo }
