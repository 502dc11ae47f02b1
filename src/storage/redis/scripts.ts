/**
 * The decisions, each one script on one key, so that they are atomic on a single server and in a cluster.
 * JSON goes through them as text and is never read: Lua would turn an empty list into a map.
 *
 * A document is a hash with these fields: `version`; `body`, absent once deleted; `write`, the id of the
 * last write; `format`; `entries`, what it is found by, and `mark`, the mark of the members that say so;
 * `due`, the time by which it is entered, with the mark of that member; `pending`, the mark of the member
 * that says that events wait; `waiting`, how many do; `event:<id>` for each, as `version position json`;
 * `last`, when the newest mark was made that it ever took.
 */

import { createHash } from 'node:crypto';
import { latestUs } from './clock.ts';

export interface Script {
  lua: string;
  sha: string;
}

/** The form of the hash. A greater one was written by a newer version and is left alone. */
export const knownFormat = 1;

/** Microseconds of this server's clock; `latest` is how old a mark may be. */
const clock = `
local latest = ${latestUs}
local function now()
  local time = redis.call('TIME')
  return tonumber(time[1]) * 1000000 + tonumber(time[2])
end
local function madeAt(mark) return tonumber(string.sub(mark, 1, 16)) end
`;

function script(text: string): Script {
  const lua = text.trim();
  return { lua, sha: createHash('sha1').update(lua).digest('hex') };
}

/**
 * Arguments: expectation, write id, body (empty deletes), entries, due (empty for none), mark (empty for
 * none), `entered` when the entries were added under that mark, milliseconds to live (empty for ever),
 * milliseconds that a deletion is remembered, then id and JSON of each event.
 *
 * Answers `written` with the version, the entries, mark and due that it no longer names, and whether the
 * pending member of this mark counts; `done` for a write that was made before; `conflict`; `enter` when
 * the entries have to be added first; `late` with the server's time and the newest mark it took.
 *
 * A mark is taken once: it must be newer than every other the document took, and than its deletion. So a copy of this command
 * that a dying connection delivers late never makes the document name members that were removed since.
 */
export const writeScript = script(`${clock}
local key = KEYS[1]
local expect, write, body, entries, due, mark, entered, ttl, remembrance = unpack(ARGV, 1, 9)
local doc = redis.call('HMGET', key, 'version', 'body', 'write', 'format', 'entries', 'mark', 'due',
  'pending', 'waiting', 'last')
local version, present, last = tonumber(doc[1]) or 0, doc[2], tonumber(doc[10]) or 0
if (tonumber(doc[4]) or 0) > ${knownFormat} then return {'newer', doc[4]} end
if doc[3] == write then
  -- Written anew, so that who waits for replicas waits for this: WAIT asks about a connection's own writes.
  redis.call('HSET', key, 'write', write)
  return {'done', version}
end
if expect == 'absent' then
  if present then return {'conflict'} end
elseif expect ~= 'any' and not (present and doc[1] == expect) then
  return {'conflict'}
end
if mark ~= '' then
  local time, made = now(), madeAt(mark)
  -- A clock that was set back, or another node's, must not block the document until it catches up.
  local superseded = made <= last and last <= time + latest
  if superseded or math.abs(time - made) > latest then
    return {'late', string.format('%.0f', time), string.format('%.0f', last)}
  end
end
local lives, enters = body ~= '', entered == 'entered'
if lives and not enters then
  local earlier = due ~= '' and (not doc[7] or tonumber(due) < madeAt(doc[7]))
  if entries ~= (doc[5] or '') or earlier then return {'enter'} end
end

version = version + 1
local number = string.format('%.0f', version)
local fields = {'version', number, 'write', write, 'format', '${knownFormat}'}
local function set(name, value) fields[#fields + 1], fields[#fields + 2] = name, value end
local newest = 0
if mark ~= '' then newest = madeAt(mark) end
-- A copy of a creation that lost against another one never took its mark, and would find the way free now.
if body == '' then newest = math.max(newest, now()) end
if newest > 0 then set('last', string.format('%.0f', newest)) end
local old = {'', '', ''}
if doc[1] and (not lives or enters) then
  old = {doc[5] or '', doc[6] or '', doc[7] or ''}
  redis.call('HDEL', key, 'body', 'entries', 'mark', 'due')
elseif due == '' and doc[7] then
  old[3] = doc[7]
  redis.call('HDEL', key, 'due')
end
if lives then set('body', body) end
if lives and enters and entries ~= '' then
  set('entries', entries)
  set('mark', mark)
end
if lives and enters and due ~= '' then set('due', due .. mark) end
redis.call('HSET', key, unpack(fields))

local waiting, added = tonumber(doc[9]) or 0, 0
for i = 10, #ARGV, 2 do
  local value = number .. ' ' .. ((i - 10) / 2) .. ' ' .. ARGV[i + 1]
  added = added + redis.call('HSETNX', key, 'event:' .. ARGV[i], value)
end
waiting = waiting + added
local counts = ''
if added > 0 then
  redis.call('HSET', key, 'waiting', waiting)
  if not doc[8] then
    redis.call('HSET', key, 'pending', mark)
    counts = 'counts'
  end
end
if not lives and waiting == 0 then
  redis.call('PEXPIRE', key, remembrance)
elseif lives and ttl ~= '' and waiting == 0 then
  redis.call('PEXPIRE', key, ttl)
elseif not present then
  redis.call('PERSIST', key)
end
return {'written', version, old[1], old[2], old[3], counts}
`);

/**
 * Arguments: milliseconds that a deletion is remembered, then the ids. Answers the mark of the pending
 * member when no event waits any more.
 */
export const settleScript = script(`
local key, gone = KEYS[1], 0
for i = 2, #ARGV do gone = gone + redis.call('HDEL', key, 'event:' .. ARGV[i]) end
if gone == 0 then return '' end
if redis.call('HINCRBY', key, 'waiting', -gone) > 0 then return '' end
local mark = redis.call('HGET', key, 'pending')
redis.call('HDEL', key, 'pending', 'waiting')
if redis.call('HEXISTS', key, 'body') == 0 then redis.call('PEXPIRE', key, ARGV[1]) end
return mark or ''
`);

/**
 * The events of one document in the order of its versions. Arguments: how many, and the id of the event to
 * read on behind (empty for none). Answers the mark of the pending member, whether that event was found,
 * then id and value of each.
 */
export const eventsScript = script(`
local key, limit, after = KEYS[1], tonumber(ARGV[1]), ARGV[2]
local mark = redis.call('HGET', key, 'pending')
if not mark then return {'', ''} end
local names, list = {}, {}
for _, name in ipairs(redis.call('HKEYS', key)) do
  if string.sub(name, 1, 6) == 'event:' then names[#names + 1] = name end
end
for first = 1, #names, 1000 do
  local some = {unpack(names, first, math.min(first + 999, #names))}
  for i, value in ipairs(redis.call('HMGET', key, unpack(some))) do
    local version, position = string.match(value, '^(%d+) (%d+) ')
    list[#list + 1] = {string.sub(some[i], 7), tonumber(version), tonumber(position), value}
  end
end
table.sort(list, function(a, b)
  if a[2] ~= b[2] then return a[2] < b[2] end
  return a[3] < b[3]
end)
local start, found = 1, ''
for i, event in ipairs(list) do
  if event[1] == after then start, found = i + 1, 'found' end
end
local answer = {mark, found}
for i = start, math.min(start + limit - 1, #list) do
  answer[#answer + 1] = list[i][1]
  answer[#answer + 1] = list[i][4]
end
return answer
`);

/** Arguments: version and due entry as they were read, the new due, its mark. Answers 1 when moved. */
export const moveDueScript = script(`${clock}
local key, version, entry, due, mark = KEYS[1], ARGV[1], ARGV[2], ARGV[3], ARGV[4]
local doc = redis.call('HMGET', key, 'version', 'due')
if doc[1] ~= version or doc[2] ~= entry then return 0 end
if math.abs(now() - madeAt(mark)) > latest then return 0 end
redis.call('HSET', key, 'due', due .. mark)
return 1
`);

/** Arguments: what to add, milliseconds to live from the first use on. Answers the sum. */
export const bumpScript = script(`
local value = redis.call('INCRBY', KEYS[1], ARGV[1])
if redis.call('PTTL', KEYS[1]) < 0 then redis.call('PEXPIRE', KEYS[1], ARGV[2]) end
return value
`);
