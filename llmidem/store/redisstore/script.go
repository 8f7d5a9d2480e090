package redisstore

import (
	"crypto/sha1"
	"encoding/hex"
)

// script is a script and the name that the server has for it.
type script struct{ source, sha string }

func newScript(source string) script {
	sum := sha1.Sum([]byte(source)) // not for security: it is how Redis names scripts
	return script{source, hex.EncodeToString(sum[:])}
}

// clockNow is how every script begins: the key, and the server's time in microseconds
// (us) and in milliseconds (now).
const clockNow = `
local key = KEYS[1]
local t = redis.call('TIME')
local us = t[1] * 1000000 + t[2]
local now = math.floor(us / 1000)
`

// get reads the value v; one that is no string is none of ours.
const get = `
local v = redis.pcall('GET', key)
if type(v) == 'table' then
  if not string.find(v.err, 'WRONGTYPE', 1, true) then return v end
  v = ''
end
`

// standing has the value v and the state of the record. It reads values as parse
// does; '?' is one that is none of ours. A script cannot check a body, which is
// left to parse.
const standing = get + `
local function read()
  if not v then return 'a' end
  if #v < 101 or string.sub(v, 1, 1) ~= '\1' then return '?' end
  local state, since, ends = string.sub(v, 2, 2), struct.unpack('>dd', v, 5)
  if not (since >= 0 and since < 9e15 and ends >= 0 and ends < 9e15) then return '?' end
  if not string.find(string.sub(v, 3, 4), '^[rz][acu]$') then return '?' end
  if #v ~= 101 + struct.unpack('>I4', v, 94) then return '?' end
  if state == 'c' then return 'c' end
  if #v ~= 101 then return '?' end
  if state == 'u' then return 'u' end
  if state ~= 'f' or ends == 0 then return '?' end
  if now >= ends then return 'u' end
  return 'f'
end
local state = read()
`

// whole is the value as it is given out: cut if it is longer than any of ours.
const whole = `
local function whole(max)
  if v and #v > max then return string.sub(v, 1, max + 1) end
  return v
end
`

// claimScript takes owner..fingerprint..origin, the lease, the takeover, the
// longest value, and the header of a record that parse found broken, or nothing.
//
// The one who holds the claim may claim again: the reply was lost, and nothing was
// sent. That also holds when the lease has run out meanwhile, unless somebody else
// took over.
//
// Most ids are absent; for them it is enough to write. A server that does not let
// write, since its memory is full, still says what stands in the way.
var claimScript = newScript(clockNow + `
local times = struct.pack('>dd', now, now + ARGV[2])
local set = redis.pcall('SET', key, '\1fra' .. times .. ARGV[1] .. '\0\0\0\0\0\0\0\0', 'NX')
if set and set.ok then return {us, 'w', 'a'} end
` + standing + whole + `
if state == 'a' then return set end
if state == 'c' and string.sub(v, 1, 101) == ARGV[5] then state = '?' end
local prior = state
if v and string.sub(v, 2, 2) == 'f' and (state == 'f' or state == 'u') and string.sub(v, 21, 36) == string.sub(ARGV[1], 1, 16) then
  prior = string.sub(v, 4, 4)
else
  local take = tonumber(ARGV[3])
  if not (take >= 1 and (state == 'u' or state == '?') or take >= 2 and state == 'c') then
    return {us, state, whole(tonumber(ARGV[4]))}
  end
  if prior == '?' then prior = 'u' end
end
redis.call('SET', key, '\1fr' .. prior .. times .. ARGV[1] .. '\0\0\0\0\0\0\0\0')
return {us, 'w', prior}
`)

// held is whether the record is in flight under the owner ARGV[1].
const held = get + `
local held = false
if v and #v == 101 and string.find(v, '^\1fr[acu]') and string.sub(v, 21, 36) == ARGV[1] then
  local ends = struct.unpack('>d', v, 13)
  held = now < ends and ends < 9e15
end
`

// renewScript takes the owner and the lease. It returns the time, negative when
// the claim is lost.
var renewScript = newScript(clockNow + held + `
if not held then return -us end
redis.call('SETRANGE', key, 12, struct.pack('>d', now + ARGV[2]))
return us
`)

// settleScript takes the owner, the state, the encoding, the TTL (0: none),
// origin..size..checksum..body, and whether it is repeated since the reply to
// it was lost: then it succeeds if that is what stands there.
//
// A notice that cannot be sent is no reason to fail: whoever waits also asks.
var settleScript = newScript(clockNow + held + `
if held then
  if ARGV[2] == 'a' then
    redis.call('DEL', key)
  else
    local ttl, ends = ARGV[4], 0
    if ttl ~= '0' then ends = now + ttl end
    local new = '\1' .. ARGV[2] .. ARGV[3] .. string.sub(v, 4, 4) .. struct.pack('>dd', now, ends) .. string.sub(v, 21, 68) .. ARGV[5]
    if ttl ~= '0' then
      redis.call('SET', key, new, 'PX', ttl)
    else
      redis.call('SET', key, new)
    end
  end
  redis.pcall('PUBLISH', key, '')
  return us
end
if ARGV[6] == '1' then
  if ARGV[2] == 'a' and not v then return us end
  if v and string.sub(v, 2, 3) == ARGV[2] .. ARGV[3] and string.sub(v, 21, 36) == ARGV[1] and string.sub(v, 69) == ARGV[5] then return us end
end
return -us
`)

// readScript takes the longest value.
var readScript = newScript(clockNow + standing + whole + `
return {us, state, whole(tonumber(ARGV[1]))}
`)
