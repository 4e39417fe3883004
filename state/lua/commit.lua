-- Applies a whole commit, or nothing of it: everything is checked and decoded before the first write, because a script
-- that fails half way is not rolled back.
--
-- KEYS[1] head of the task (hash)   KEYS[2] staged commit (hash)   KEYS[3...] cells of each store that changes (hashes)
-- ARGV[1] owner   ARGV[2] previous sequence   ARGV[3] sequence   ARGV[4] commit id
-- ARGV[5...] for each of KEYS[3...]: store name, puts (MessagePack array: key, value, key, value...), deletes (array: key...)
-- returns { 'committed' } | { 'repeated' } | { 'fenced' } | { 'rewound', stored sequence }
--       | { 'redo' }: a valid staged commit comes first (apply.lua), then send this again
local head, staged = KEYS[1], KEYS[2]
local owner, sequence, id, redo = unpack(redis.call('HMGET', head, 'owner', 'sequence', 'commit', 'redo'))
if owner ~= ARGV[1] then return { 'fenced' } end
if id == ARGV[4] then return { 'repeated' } end
if sequence ~= ARGV[2] then return { 'rewound', sequence } end
if redo and redo ~= '0' then return { 'redo' } end

local puts, deletes, names = {}, {}, {}
for section = 1, #KEYS - 2 do
  local kind = redis.call('TYPE', KEYS[section + 2]).ok
  if kind ~= 'hash' and kind ~= 'none' then return redis.error_reply('WRONGTYPE cells are a ' .. kind) end
  local first = 5 + (section - 1) * 3
  names[#names + 1] = 's:' .. ARGV[first]
  names[#names + 1] = ''
  puts[section] = cmsgpack.unpack(ARGV[first + 1])
  deletes[section] = cmsgpack.unpack(ARGV[first + 2])
end

redis.call('HSET', head, 'sequence', ARGV[3], 'commit', ARGV[4])
redis.call('UNLINK', staged)
for i = 1, #names, 4000 do redis.call('HSET', head, unpack(names, i, math.min(i + 3999, #names))) end
for section = 1, #KEYS - 2 do
  local cells, put, delete = KEYS[section + 2], puts[section], deletes[section]
  for i = 1, #put, 4000 do redis.call('HSET', cells, unpack(put, i, math.min(i + 3999, #put))) end
  for i = 1, #delete, 4000 do redis.call('HDEL', cells, unpack(delete, i, math.min(i + 3999, #delete))) end
end
return { 'committed' }
