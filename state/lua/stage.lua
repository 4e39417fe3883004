-- Lays one chunk of a large commit aside. Nothing of it is state before seal.lua. The first chunk throws away what an earlier
-- attempt has left; should it come late and twice, chunks are missing at the seal, and the client begins again.
--
-- KEYS[1] head of the task (hash)   KEYS[2] staged commit (hash)
-- ARGV[1] owner   ARGV[2] previous sequence   ARGV[3] commit id   ARGV[4] number of the chunk, from 0
-- ARGV[5] puts (MessagePack array: key, value...)   ARGV[6] deletes (array: key...)
-- returns { 'staged' } | { 'repeated' } | { 'fenced' } | { 'rewound', stored sequence }
--       | { 'redo' }: a valid staged commit comes first (apply.lua), then begin again
--       | { 'begin' }: the chunks before this one are gone, begin again
local head, staged = KEYS[1], KEYS[2]
local owner, sequence, id, redo = unpack(redis.call('HMGET', head, 'owner', 'sequence', 'commit', 'redo'))
if owner ~= ARGV[1] then return { 'fenced' } end
if id == ARGV[3] then return { 'repeated' } end
if sequence ~= ARGV[2] then return { 'rewound', sequence } end
if redo and redo ~= '0' then return { 'redo' } end

if ARGV[4] == '0' then
  redis.call('UNLINK', staged)
elseif redis.call('HGET', staged, 'commit') ~= ARGV[3] then
  return { 'begin' }
end
redis.call('HSET', staged, 'commit', ARGV[3], 'p' .. ARGV[4], ARGV[5], 'd' .. ARGV[4], ARGV[6])
return { 'staged' }
