-- One page of a hash's fields and values, as one string: a client takes it apart in a fraction of the time that thousands of answers need.
--
-- KEYS[1] cells of a store (hash)   ARGV[1] cursor, '0' to begin   ARGV[2] COUNT of HSCAN   ARGV[3] only keys that match; '' for all
-- returns { next cursor, MessagePack array of key, value, key, value..., run id of this server }; the run id is '' where a user may not ask
--
-- Another process of Redis orders a hash otherwise: a scan that goes on there passes keys over.
local page
if ARGV[3] == '' then
  page = redis.call('HSCAN', KEYS[1], ARGV[1], 'COUNT', ARGV[2])
else
  page = redis.call('HSCAN', KEYS[1], ARGV[1], 'MATCH', ARGV[3], 'COUNT', ARGV[2])
end
local server = redis.pcall('INFO', 'server')
local run = type(server) == 'string' and string.match(server, 'run_id:(%w+)') or ''
return { page[1], cmsgpack.pack(page[2]), run }
