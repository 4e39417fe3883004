-- Applies one chunk of a valid staged commit and forgets it; the last one ends the redo. Values are absolute and each chunk
-- goes once, so that any number of clients may do this at the same time, owners or not.
--
-- KEYS[1] head of the task (hash)   KEYS[2] staged commit (hash)   KEYS[3] cells of the chunk's store (hash)
-- ARGV[1] commit id   ARGV[2] number of the chunk, from 0
-- returns number of chunks left, 0 when nothing (more) is to be done
local head, staged, cells = KEYS[1], KEYS[2], KEYS[3]
local id, redo = unpack(redis.call('HMGET', head, 'commit', 'redo'))
if id ~= ARGV[1] or not redo or redo == '0' then return 0 end
local putField, deleteField = 'p' .. ARGV[2], 'd' .. ARGV[2]
local puts, deletes = unpack(redis.call('HMGET', staged, putField, deleteField))
if not puts then return tonumber(redo) end
local kind = redis.call('TYPE', cells).ok
if kind ~= 'hash' and kind ~= 'none' then return redis.error_reply('WRONGTYPE cells are a ' .. kind) end
local put, delete = cmsgpack.unpack(puts), cmsgpack.unpack(deletes)

for i = 1, #put, 4000 do redis.call('HSET', cells, unpack(put, i, math.min(i + 3999, #put))) end
for i = 1, #delete, 4000 do redis.call('HDEL', cells, unpack(delete, i, math.min(i + 3999, #delete))) end
redis.call('HDEL', staged, putField, deleteField)
local left = tonumber(redo) - 1
redis.call('HSET', head, 'redo', tostring(left))
if left == 0 then redis.call('UNLINK', staged) end
return left
