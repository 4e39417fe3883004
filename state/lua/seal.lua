-- Makes a staged commit valid in one small step: from here on it is the state, as a redo list that everyone who meets it
-- applies (apply.lua) before he reads or writes cells.
--
-- KEYS[1] head of the task (hash)   KEYS[2] staged commit (hash)
-- ARGV[1] owner   ARGV[2] previous sequence   ARGV[3] sequence   ARGV[4] commit id   ARGV[5] number of chunks
-- ARGV[6...] the store of each chunk
-- returns { 'committed' } | { 'repeated' } | { 'fenced' } | { 'rewound', stored sequence }
--       | { 'redo' }: another valid staged commit comes first (apply.lua), then begin again
--       | { 'begin' }: a chunk is missing, begin again
local head, staged = KEYS[1], KEYS[2]
local owner, sequence, id, redo = unpack(redis.call('HMGET', head, 'owner', 'sequence', 'commit', 'redo'))
if owner ~= ARGV[1] then return { 'fenced' } end
if id == ARGV[4] then return { 'repeated' } end
if sequence ~= ARGV[2] then return { 'rewound', sequence } end
if redo and redo ~= '0' then return { 'redo' } end

local count = tonumber(ARGV[5])
if redis.call('HGET', staged, 'commit') ~= ARGV[4] or redis.call('HLEN', staged) ~= 1 + 2 * count then return { 'begin' } end
local stores, names, known = {}, {}, {}
for chunk = 1, count do
  local store = ARGV[5 + chunk]
  stores[chunk] = store
  if not known[store] then
    known[store] = true
    names[#names + 1] = 's:' .. store
    names[#names + 1] = ''
  end
end

redis.call('HSET', staged, 'stores', cmsgpack.pack(stores))
redis.call('HSET', head, 'sequence', ARGV[3], 'commit', ARGV[4], 'redo', ARGV[5])
for i = 1, #names, 4000 do redis.call('HSET', head, unpack(names, i, math.min(i + 3999, #names))) end
return { 'committed' }
