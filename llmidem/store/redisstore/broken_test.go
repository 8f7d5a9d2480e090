package redisstore_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"hash/crc32"
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/klauspost/compress/zstd"
	"github.com/redis/rueidis"
	"github.com/stretchr/testify/require"

	"github.com/llmidem/llmidem-go/llmidem/store"
	"github.com/llmidem/llmidem-go/llmidem/store/redisstore"
)

const headerSize = 101

// forge makes a value by hand, with a size and a checksum that are right.
func forge(state, encoding byte, ends float64, body []byte) []byte {
	v := make([]byte, headerSize, headerSize+len(body))
	copy(v, []byte{1, state, encoding, 'a'})
	binary.BigEndian.PutUint64(v[4:], math.Float64bits(1.7e12))
	binary.BigEndian.PutUint64(v[12:], math.Float64bits(ends))
	for i := 20; i < 93; i++ {
		v[i] = 'x' // somebody's owner, fingerprint and origin
	}
	binary.BigEndian.PutUint32(v[93:], uint32(len(body)))
	binary.BigEndian.PutUint32(v[97:], crc32.Checksum(body, crc32.MakeTable(crc32.Castagnoli)))
	return append(v, body...)
}

// altered is a value with a byte of it changed.
func altered(v []byte, at int, b byte) []byte {
	v = bytes.Clone(v)
	v[at] = b
	return v
}

func compress(t *testing.T, body []byte, opts ...zstd.EOption) []byte {
	t.Helper()
	enc, err := zstd.NewWriter(nil, opts...)
	require.NoError(t, err)
	defer func() { require.NoError(t, enc.Close()) }()
	return enc.EncodeAll(body, nil)
}

// stream is a frame that does not say how long it is.
func stream(t *testing.T, body []byte) []byte {
	t.Helper()
	var b bytes.Buffer
	enc, err := zstd.NewWriter(&b)
	require.NoError(t, err)
	_, err = enc.Write(body)
	require.NoError(t, err)
	require.NoError(t, enc.Close())
	return b.Bytes()
}

const smallLimit = 1 << 16

// brokenValues are values that no store of this version wrote, or not like that.
func brokenValues(t *testing.T) map[string][]byte {
	whole := forge('c', 'r', 0, []byte(`{"answer":42}`))
	packed := forge('c', 'z', 0, compress(t, bytes.Repeat([]byte("answer "), 100)))
	half := make([]byte, smallLimit/2+1)
	return map[string][]byte{
		"empty":                    {},
		"text":                     []byte("hello"),
		"long text":                []byte(strings.Repeat("hello ", 100)),
		"another version":          altered(whole, 0, 2),
		"no such state":            altered(whole, 1, 'x'),
		"absent":                   altered(whole, 1, 'a'),
		"no such encoding":         altered(whole, 2, 'g'),
		"no such prior state":      altered(whole, 3, 'f'),
		"no time":                  altered(altered(whole, 4, 0x7f), 5, 0xff), // NaN
		"time before 1970":         altered(whole, 4, 0xff),
		"endless end":              altered(altered(whole, 12, 0x7f), 13, 0xf0), // +Inf
		"header only":              whole[:headerSize],
		"cut in the header":        whole[:50],
		"cut at the end":           whole[:len(whole)-1],
		"something after it":       append(bytes.Clone(whole), 'x'),
		"one bit of the body":      altered(whole, len(whole)-1, whole[len(whole)-1]^1),
		"body is not zstd":         forge('c', 'z', 0, []byte("hello")),
		"no zstd":                  forge('c', 'z', 0, nil)[:headerSize-1],
		"zstd cut":                 forge('c', 'z', 0, compress(t, half)[:20]),
		"one bit of the zstd":      altered(packed, len(packed)-1, packed[len(packed)-1]^1),
		"in flight with a body":    forge('f', 'r', 9e12, []byte("early")),
		"in flight without end":    forge('f', 'r', 0, nil),
		"unknown with a body":      forge('u', 'r', 0, []byte("half")),
		"longer than the limit":    forge('c', 'r', 0, make([]byte, smallLimit+1)),
		"far longer":               forge('c', 'r', 0, make([]byte, 32*smallLimit)),
		"bomb":                     forge('c', 'z', 0, compress(t, make([]byte, 1<<28))),
		"bomb that is silent":      forge('c', 'z', 0, stream(t, make([]byte, 1<<26))),
		"bomb of many parts":       forge('c', 'z', 0, bytes.Repeat(compress(t, half), 100)),
		"bomb that lies":           forge('c', 'z', 0, []byte{0x28, 0xb5, 0x2f, 0xfd, 0xe0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f, 0x01, 0, 0}),
		"bomb with a large window": forge('c', 'z', 0, []byte{0x28, 0xb5, 0x2f, 0xfd, 0x00, 0xff, 0x01, 0, 0}),
	}
}

// TestS13_BrokenIsInDoubt: also a Claim, whose script reads values by itself, takes
// them for what Get takes them for.
func TestS13_BrokenIsInDoubt(t *testing.T) {
	url, ctx := "redis://"+single(t), context.Background()
	prefix := freshPrefix()
	s := open(t, url, redisstore.WithPrefix(prefix), redisstore.WithMaxEntry(smallLimit))
	c := raw(t, url)
	doubt := store.Record{State: store.Unknown}
	for name, v := range brokenValues(t) {
		t.Run(name, func(t *testing.T) {
			id := newID()
			command(t, c, "SET", prefix+id, rueidis.BinaryString(v))
			for range 2 { // by a script, and by a GET
				require.Equal(t, doubt, get(t, s, id))
			}
			r, err := s.Claim(ctx, id, newClaim(store.TakeAbsent))
			require.NoError(t, err)
			require.Equal(t, doubt, r)
			for _, owner := range []store.Owner{store.NewOwner(), store.Owner(bytes.Repeat([]byte("x"), 16))} {
				require.ErrorIs(t, s.Renew(ctx, id, owner, long), store.ErrLost)
				require.ErrorIs(t, s.Settle(ctx, id, owner, store.Outcome{State: store.Absent}), store.ErrLost)
			}
			kept, err := command(t, c, "GET", prefix+id).AsBytes()
			require.NoError(t, err)
			require.True(t, bytes.Equal(v, kept), "what is in doubt stays for whoever looks into it")

			take := newClaim(store.TakeDoubt)
			r, err = s.Claim(ctx, id, take)
			require.NoError(t, err)
			require.Equal(t, take.Owner, r.Owner)
			require.Equal(t, store.InFlight, r.State)
			require.Equal(t, store.Unknown, r.Prior)
			require.NoError(t, s.Settle(ctx, id, take.Owner, store.Outcome{State: store.Completed, Body: []byte("new")}))
			require.Equal(t, "new", string(get(t, s, id).Body))
		})
	}
}

func TestS13_WrongTypeIsInDoubt(t *testing.T) {
	url, ctx := "redis://"+single(t), context.Background()
	prefix := freshPrefix()
	s := open(t, url, redisstore.WithPrefix(prefix))
	c := raw(t, url)
	for name, args := range map[string][]string{
		"LPUSH": {"v"}, "SADD": {"v"}, "HSET": {"f", "v"}, "ZADD": {"1", "v"}, "XADD": {"*", "f", "v"},
	} {
		id := newID()
		command(t, c, name, prefix+id, args...)
		for range 2 {
			require.Equal(t, store.Record{State: store.Unknown}, get(t, s, id), name)
		}
		r, err := s.Claim(ctx, id, newClaim(store.TakeAbsent))
		require.NoError(t, err)
		require.Equal(t, store.Record{State: store.Unknown}, r, name)
		owner := store.NewOwner()
		require.ErrorIs(t, s.Renew(ctx, id, owner, long), store.ErrLost)
		require.ErrorIs(t, s.Settle(ctx, id, owner, store.Outcome{State: store.Completed}), store.ErrLost)
		take := newClaim(store.TakeDoubt)
		r, err = s.Claim(ctx, id, take)
		require.NoError(t, err)
		require.Equal(t, take.Owner, r.Owner)
		require.NoError(t, s.Settle(ctx, id, take.Owner, store.Outcome{State: store.Absent}))
		require.Equal(t, store.Absent, get(t, s, id).State)
	}
}

// TestS13_ForgedIsRead shows that forge makes what a store reads: what is wrong with
// the values above is what their names say.
func TestS13_ForgedIsRead(t *testing.T) {
	url := "redis://" + single(t)
	prefix := freshPrefix()
	s := open(t, url, redisstore.WithPrefix(prefix), redisstore.WithMaxEntry(smallLimit))
	c := raw(t, url)
	long := bytes.Repeat([]byte("answer "), 100)
	for body, v := range map[string][]byte{
		"":                               forge('c', 'r', 0, nil),
		"raw":                            forge('c', 'r', 0, []byte("raw")),
		string(long):                     forge('c', 'z', 0, compress(t, long)),
		string(long[1:]):                 forge('c', 'z', 0, stream(t, long[1:])),
		string(make([]byte, smallLimit)): forge('c', 'z', 0, compress(t, make([]byte, smallLimit))),
	} {
		id := newID()
		command(t, c, "SET", prefix+id, rueidis.BinaryString(v))
		r := get(t, s, id)
		require.Equal(t, store.Completed, r.State)
		require.Equal(t, body, string(r.Body))
		require.Equal(t, strings.Repeat("x", 16), string(r.Owner[:]))
	}
	id := newID()
	command(t, c, "SET", prefix+id, rueidis.BinaryString(forge('f', 'r', 8e12, nil)))
	require.Equal(t, store.InFlight, get(t, s, id).State)
	command(t, c, "SET", prefix+id, rueidis.BinaryString(forge('f', 'r', 1, nil)))
	require.Equal(t, store.Unknown, get(t, s, id).State)
	command(t, c, "SET", prefix+id, rueidis.BinaryString(forge('u', 'r', 0, nil)))
	require.Equal(t, store.Unknown, get(t, s, id).State)
}

// TestS13_OneReading: whatever is done to a value, Get and Claim take it for the
// same thing, and TakeDoubt replaces it when it is in doubt and then only.
func TestS13_OneReading(t *testing.T) {
	url, ctx := "redis://"+single(t), context.Background()
	prefix := freshPrefix()
	s := open(t, url, redisstore.WithPrefix(prefix), redisstore.WithMaxEntry(smallLimit))
	c := raw(t, url)
	random := rand.New(rand.NewPCG(1, 2))
	states := map[store.State]int{}
	for i := range 2000 {
		v := [][]byte{
			forge('c', 'r', 0, []byte("answer")), forge('c', 'z', 8e12, compress(t, []byte("answer"))),
			forge('f', 'r', 8e12, nil), forge('f', 'r', 1e12, nil), forge('u', 'z', 0, nil),
		}[i%5]
		for range random.IntN(3) {
			v[random.IntN(len(v))] = []byte{0, 1, 'a', 'c', 'f', 'u', 'r', 'z', 0x7f, 0x80, 0xff}[random.IntN(11)]
		}
		if random.IntN(8) == 0 {
			v = v[:random.IntN(len(v))]
		}
		id := newID()
		command(t, c, "SET", prefix+id, rueidis.BinaryString(v))
		r := get(t, s, id)
		states[r.State]++
		stands, err := s.Claim(ctx, id, newClaim(store.TakeAbsent))
		require.NoError(t, err)
		r.Age, r.Left, stands.Age, stands.Left = 0, 0, 0, 0
		require.Equal(t, r, stands, "%q", v)
		take := newClaim(store.TakeDoubt)
		won, err := s.Claim(ctx, id, take)
		require.NoError(t, err)
		require.Equal(t, r.State == store.Unknown, won.Owner == take.Owner, "%v: %q", r.State, v)
	}
	require.Len(t, states, 3, "the values are too much of a kind: %v", states)
}
