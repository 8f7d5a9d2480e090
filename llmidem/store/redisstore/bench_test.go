package redisstore_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/redis/rueidis"
	"github.com/stretchr/testify/require"

	"github.com/llmidem/llmidem-go/llmidem/store"
	"github.com/llmidem/llmidem-go/llmidem/store/redisstore"
)

// lanes is how many goroutines a benchmark has.
const lanes = 64

// rate is how many times a second f can be done by all lanes, measured over a slice of time.
func rate(b *testing.B, f func() error) float64 {
	const slice = 200 * time.Millisecond
	var n atomic.Int64
	var failed atomic.Pointer[error]
	stop := make(chan struct{})
	done := make(chan struct{}, lanes)
	start := time.Now()
	for range lanes {
		go func() {
			defer func() { done <- struct{}{} }()
			for {
				select {
				case <-stop:
					return
				default:
				}
				if err := f(); err != nil {
					failed.Store(&err)
					return
				}
				n.Add(1)
			}
		}()
	}
	time.Sleep(slice)
	close(stop)
	for range lanes {
		<-done
	}
	if err := failed.Load(); err != nil {
		b.Fatal(*err)
	}
	return float64(n.Load()) / time.Since(start).Seconds()
}

// compare reports how often a store does something in the time in which rueidis,
// by hand, does what it is measured against: in turns, so that both have the same
// machine.
func compare(b *testing.B, ours, theirs func() error) {
	b.Helper()
	var own, raw float64
	rounds := 0
	for b.Loop() {
		own += rate(b, ours)
		raw += rate(b, theirs)
		rounds++
	}
	b.ReportMetric(0, "ns/op")
	b.ReportMetric(own/float64(rounds), "store/s")
	b.ReportMetric(raw/float64(rounds), "raw/s")
	b.ReportMetric(own/raw, "ratio")
}

// BenchmarkHit compares Get of an answer with a GET of as many bytes.
func BenchmarkHit(b *testing.B) {
	url := "redis://" + single(b)
	for _, size := range []int{100, 1024, 10_000} {
		b.Run(strconv.Itoa(size), func(b *testing.B) {
			ctx, cancel := context.WithTimeout(context.Background(), time.Hour)
			defer cancel()
			prefix := freshPrefix()
			s := open(b, url, redisstore.WithPrefix(prefix), redisstore.WithCompression(-1))
			c := raw(b, url)
			id, _ := complete(b, s, strings.Repeat("a", size), long)
			key := prefix + newID()
			command(b, c, "SET", key, strings.Repeat("a", headerSize+size), "EX", "3600")
			compare(b, func() error {
				_, err := s.Get(ctx, id)
				return err
			}, func() error {
				_, err := c.Do(ctx, c.B().Get().Key(key).Build()).AsBytes()
				return err
			})
		})
	}
}

// The scripts that claims and settlements are measured against do the least that
// is atomic: they look whether somebody else has the key before they write it.
var (
	rawClaim = rueidis.NewLuaScript(`
local v = redis.call('GET', KEYS[1])
if v then return {1, 'c', v} end
redis.call('SET', KEYS[1], ARGV[1])
return {1, 'w', 'a'}`)
	rawSettle = rueidis.NewLuaScript(`
local v = redis.call('GET', KEYS[1])
if not v or string.sub(v, 1, 16) ~= ARGV[1] then return -1 end
redis.call('SET', KEYS[1], ARGV[5], 'PX', ARGV[4])
return 1`)
)

// BenchmarkClaimSettle compares a claim and its settlement with two scripts that
// carry as many bytes.
func BenchmarkClaimSettle(b *testing.B) {
	url := "redis://" + single(b)
	for _, size := range []int{100, 1024, 10_000} {
		b.Run(strconv.Itoa(size), func(b *testing.B) {
			ctx, cancel := context.WithTimeout(context.Background(), time.Hour)
			defer cancel()
			prefix := freshPrefix()
			s := open(b, url, redisstore.WithPrefix(prefix), redisstore.WithCompression(-1))
			c := raw(b, url)
			body := []byte(strings.Repeat("a", size))
			value := strings.Repeat("a", headerSize-68+size)
			compare(b, func() error {
				claim := store.Claim{Owner: store.NewOwner(), Lease: time.Minute}
				id := newID()
				if _, err := s.Claim(ctx, id, claim); err != nil {
					return err
				}
				return s.Settle(ctx, id, claim.Owner, store.Outcome{State: store.Completed, Body: body, TTL: time.Second})
			}, func() error {
				owner := store.NewOwner()
				key := []string{prefix + newID()}
				claimant := string(owner[:]) + strings.Repeat("x", 73-16)
				if err := rawClaim.Exec(ctx, c, key, []string{claimant, "60000", "0", "8388709", ""}).Error(); err != nil {
					return err
				}
				return rawSettle.Exec(ctx, c, key, []string{string(owner[:]), "c", "r", "1000", value, "0"}).Error()
			})
		})
	}
}

// BenchmarkMemory reports what the server needs for a record beside its key and its
// body, and what it needs for a plain string with a TTL beside its key and value:
// the mean of many sizes, since memory comes in steps.
func BenchmarkMemory(b *testing.B) {
	url := "redis://" + single(b)
	prefix := freshPrefix()
	s := open(b, url, redisstore.WithPrefix(prefix), redisstore.WithCompression(-1))
	c := raw(b, url)
	for _, most := range []int{1000, 4000} {
		b.Run(strconv.Itoa(most), func(b *testing.B) {
			var ours, plain, n float64
			over := func(id string, size int) float64 {
				used, err := command(b, c, "MEMORY", "", "USAGE", prefix+id).ToInt64()
				require.NoError(b, err)
				return float64(used - int64(len(prefix)+len(id)+size))
			}
			for b.Loop() {
				for size := 0; size <= most; size += most / 100 {
					id, _ := complete(b, s, strings.Repeat("a", size), time.Minute)
					ours += over(id, size)
					command(b, c, "SET", prefix+id, strings.Repeat("a", size), "EX", "60")
					plain += over(id, size)
					n++
				}
			}
			b.ReportMetric(0, "ns/op")
			b.ReportMetric(ours/n, "B/record")
			b.ReportMetric(plain/n, "B/plain")
		})
	}
}

// answerOf is an answer as a service gives it, of about that many bytes: words are
// drawn from a vocabulary, so that it is as dense as text.
func answerOf(size int) []byte {
	random := rand.New(rand.NewPCG(1, 2))
	var text strings.Builder
	for text.Len() < size-400 {
		fmt.Fprintf(&text, "%s ", words[min(random.IntN(len(words)), random.IntN(len(words)))])
	}
	return fmt.Appendf(nil, `{"id":"chatcmpl-%s","object":"chat.completion","created":1767225600,"model":"gpt-4o-mini-2024-07-18",`+
		`"choices":[{"index":0,"message":{"role":"assistant","content":%q,"refusal":null,"annotations":[]},"logprobs":null,"finish_reason":"stop"}],`+
		`"usage":{"prompt_tokens":19,"completion_tokens":10,"total_tokens":29},"service_tier":"default","system_fingerprint":"fp_%x"}`, newID(), text.String(), random.Uint32())
}

var words = strings.Fields(`the of and to a in is that for it as was with be by on not he i this are or his from at which but
have an had they you were their one all we can her has there been if more when will would who so no out up said what its about
than into them only other time new some could these two may first then do any like my now over such our man me even most made
after also well way must before back through years much where your should because long each just those people how too little
state good very make world still own see men work here between both life being under never day same another know while last
might us great old year off come since against go came right used take three request answer server record claim key value
response model token prompt completion function argument result error retry cache store network latency budget provider`)

// BenchmarkCompression compares what compression saves with what it costs, by the
// size of an answer: see defaultCompress.
func BenchmarkCompression(b *testing.B) {
	url := "redis://" + single(b)
	for _, size := range []int{500, 750, 1000, 1500, 2000, 4000, 16_000, 64_000} {
		b.Run(strconv.Itoa(size), func(b *testing.B) {
			ctx, cancel := context.WithTimeout(context.Background(), time.Hour)
			defer cancel()
			body := answerOf(size)
			prefix := freshPrefix()
			packing := open(b, url, redisstore.WithPrefix(prefix), redisstore.WithCompression(0))
			plain := open(b, url, redisstore.WithPrefix(prefix), redisstore.WithCompression(-1))
			small, _ := complete(b, packing, string(body), long)
			large, _ := complete(b, plain, string(body), long)
			kept, err := command(b, raw(b, url), "STRLEN", prefix+small).ToInt64()
			require.NoError(b, err)
			compare(b, func() error {
				_, err := packing.Get(ctx, small)
				return err
			}, func() error {
				_, err := plain.Get(ctx, large)
				return err
			})
			b.ReportMetric(float64(len(body)), "B")
			b.ReportMetric(float64(kept-headerSize)/float64(len(body)), "kept/B")
		})
	}
}
