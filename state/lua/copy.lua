-- Copies all cells of a task at one moment, for a reader that owns nothing; the copies go away by themselves after a while.
--
-- KEYS[1] head of the task (hash)   KEYS[2...] for each store: its cells (hash), and where to copy them
-- ARGV[1] seconds until the copies go away   ARGV[2...] name of each store
-- returns { 'copied', epoch, sequence, number of cells of each store... } | { 'unknown' } (no such task)
--       | { 'again' }: the task has other stores than those named, or a valid staged commit comes first (apply.lua)
local head = KEYS[1]
local epoch, sequence, redo = unpack(redis.call('HMGET', head, 'epoch', 'sequence', 'redo'))
if not epoch then return { 'unknown' } end
if redo and redo ~= '0' then return { 'again' } end
local named = {}
for i = 2, #ARGV do named['s:' .. ARGV[i]] = true end
for _, field in ipairs(redis.call('HKEYS', head)) do
  if string.sub(field, 1, 2) == 's:' and not named[field] then return { 'again' } end
end

local answer = { 'copied', epoch, sequence or '0' }
for i = 2, #KEYS, 2 do
  if redis.call('COPY', KEYS[i], KEYS[i + 1], 'REPLACE') == 0 then redis.call('UNLINK', KEYS[i + 1]) end
  redis.call('EXPIRE', KEYS[i + 1], ARGV[1])
  answer[#answer + 1] = redis.call('HLEN', KEYS[i + 1])
end
return answer
