-- Reads committed cells of one store in one step, so that half of a commit is never seen.
--
-- KEYS[1] head of the task (hash)   KEYS[2] cells of the store (hash)
-- ARGV[1] 'one' or 'all'   ARGV[2] 'one': the key; 'all': at most so many cells are looked at
-- ARGV[3] 'all': only keys that match this pattern; '' for all
-- returns { 'cells', { key, value, key, value... }, epoch, sequence }; cells are in no order
--       | { 'redo' }: a valid staged commit comes first (apply.lua), then ask again
--       | { 'large' }: more cells than asked for at once
local redo, epoch, sequence = unpack(redis.call('HMGET', KEYS[1], 'redo', 'epoch', 'sequence'))
if redo and redo ~= '0' then return { 'redo' } end
epoch, sequence = epoch or '0', sequence or '0'
if ARGV[1] == 'one' then
  local value = redis.call('HGET', KEYS[2], ARGV[2])
  return { 'cells', value and { ARGV[2], value } or {}, epoch, sequence }
end
if redis.call('HLEN', KEYS[2]) > tonumber(ARGV[2]) then return { 'large' } end
if ARGV[3] == '' then return { 'cells', redis.call('HGETALL', KEYS[2]), epoch, sequence } end

-- Nothing changes within a script, so that each key comes once, but for a table that is just being resized.
local cells, seen, cursor = {}, {}, '0'
repeat
  local page = redis.call('HSCAN', KEYS[2], cursor, 'MATCH', ARGV[3], 'COUNT', 1000)
  cursor = page[1]
  for i = 1, #page[2], 2 do
    local key = page[2][i]
    if not seen[key] then
      seen[key] = true
      cells[#cells + 1] = key
      cells[#cells + 1] = page[2][i + 1]
    end
  end
until cursor == '0'
return { 'cells', cells, epoch, sequence }
