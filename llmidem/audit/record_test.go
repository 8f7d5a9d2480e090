package audit_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"reflect"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/llmidem/llmidem-go/llmidem/audit"
	"github.com/llmidem/llmidem-go/llmidem/identity"
)

func TestRecordsThatNoLogTakes(t *testing.T) {
	l := open(t, memoryPath(t))
	head := l.Head()
	long := strings.Repeat("x", 1025)
	for want, change := range map[string]func(*audit.Record){
		"its Kind is \"opened\"":                    func(r *audit.Record) { r.Kind = audit.KindOpened },
		"its Kind is \"\"":                          func(r *audit.Record) { r.Kind = "" },
		"an intent has no Outcome":                  func(r *audit.Record) { r.Kind = audit.KindIntent },
		"its Outcome is \"\"":                       func(r *audit.Record) { r.Outcome = "" },
		"its Outcome is \"fine\"":                   func(r *audit.Record) { r.Outcome = "fine" },
		"a member is set that the log sets itself":  func(r *audit.Record) { r.Sequence = 1 },
		"a number is negative":                      func(r *audit.Record) { r.Usage.InputTokens = -1 },
		"its Model has 1025 bytes, more than 1024":  func(r *audit.Record) { r.Model = long },
		"its User has 1025 bytes":                   func(r *audit.Record) { r.User = long },
		"its Operation has 1025 bytes":              func(r *audit.Record) { r.Operation = long },
		"its TraceID has not 32 lower-case":         func(r *audit.Record) { r.TraceID = "ab" },
		"its OriginTraceID has not 32 lower-case":   func(r *audit.Record) { r.OriginTraceID = strings.ToUpper(trace) },
		"its SpanID has not 16 lower-case":          func(r *audit.Record) { r.SpanID = trace },
		"its Source has the byte 0x20":              func(r *audit.Record) { r.Source = "what somebody said" },
		"its ErrorType has the byte 0xa":            func(r *audit.Record) { r.ErrorType = "a\nb" },
		"its Scheme has 65 characters":              func(r *audit.Record) { r.Scheme = strings.Repeat("s", 65) },
		"the Class of attempt 3 has 0 characters":   func(r *audit.Record) { r.Attempts = append(r.Attempts, audit.Attempt{}) },
		"the Status of attempt 1 is negative":       func(r *audit.Record) { r.Attempts[0].Status = -1 },
		"the ErrorType of attempt 1 has the byte":   func(r *audit.Record) { r.Attempts[0].ErrorType = "é" },
		"its line would have more than 1048576 byt": func(r *audit.Record) { r.Attempts = manyAttempts(60_000) },
	} {
		_, r := callRecords(t, 1, audit.OutcomeAnswered)
		change(&r)
		_, err := l.Append(t.Context(), r)
		require.ErrorIs(t, err, audit.ErrRecord, want)
		require.ErrorContains(t, err, want)
		require.NotContains(t, err.Error(), "somebody")
	}
	require.Equal(t, head, l.Head())
}

func manyAttempts(n int) []audit.Attempt {
	list := make([]audit.Attempt, n)
	for i := range list {
		list[i].Class = "refused"
	}
	return list
}

// TestRecordsReadAsTheyWereWritten has every member, and texts of every kind.
func TestRecordsReadAsTheyWereWritten(t *testing.T) {
	uuid, err := identity.ParseKey("9f0c1a52-8a3e-5b6f-8d21-0c4e7f3a9b10")
	require.NoError(t, err)
	foreign, err := identity.Foreign(`job:17\<&>`)
	require.NoError(t, err)
	path := memoryPath(t)
	c := newClock()
	l := open(t, path, audit.WithPlainUsers(), audit.WithNow(c.now), audit.WithHMAC(secret(t, "k1")))
	for i, key := range []identity.Key{uuid, foreign, keyOf(t, 1), {}} {
		_, r := callRecords(t, 1, audit.OutcomeAnswered)
		r.Key, r.Intent, r.Address, r.OriginTraceID, r.ErrorType = key, 7, strings.Repeat("ab", 32), trace, "_OTHER"
		r.Model = "\x00\x1f\"\\/<>&\x7f\u0085\u2028\u2029é漢😀"
		r.User = "bad \xff utf-8"
		if i == 3 {
			r.Usage, r.Saved = audit.Usage{OutputTokens: 1}, audit.Usage{InputTokens: 1 << 62}
		}
		at, err := l.Append(t.Context(), r)
		require.NoError(t, err)
		r.User = "bad \ufffd utf-8"
		r.Version, r.Sequence, r.Time, r.KeyID, r.Hash = 1, at.Sequence, c.at, "k1", at.Hash
		got := lastRecord(t, path)
		r.Prev = got.Prev
		require.Equal(t, r, got)
		line := linesOf(read(t, path))[i+1]
		again, err := got.MarshalJSON()
		require.NoError(t, err)
		require.Equal(t, string(line), string(again)+"\n")
		require.NotContains(t, string(line), "\u2028")
	}
	require.Contains(t, string(read(t, path)), `"key":"idem_9f0c1a52-`)
	for _, key := range []identity.Key{uuid, foreign} {
		n := 0
		for r, err := range audit.Find([]string{path}, key, audit.Check{Unverified: true}) {
			require.NoError(t, err)
			require.Equal(t, key, r.Key)
			n++
		}
		require.Equal(t, 1, n)
	}
}

func lastRecord(t *testing.T, path string) (last audit.Record) {
	t.Helper()
	for r, err := range audit.ReadFiles([]string{path}, audit.Check{Secrets: []audit.Secret{secret(t, "k1")}}) {
		require.NoError(t, err)
		last = r
	}
	return last
}

// TestRecordHasNoPlaceForText: a log holds no prompt and no answer. Whoever adds a member
// to a record has to think of that here.
func TestRecordHasNoPlaceForText(t *testing.T) {
	var tags []string
	for i := range reflect.TypeFor[audit.Record]().NumField() {
		name, _, _ := strings.Cut(reflect.TypeFor[audit.Record]().Field(i).Tag.Get("json"), ",")
		tags = append(tags, name)
	}
	require.Equal(t, strings.Fields("v seq time prev mac kind intent key address scheme document_version operation provider model "+
		"user user_hash trace_id span_id origin_trace_id attempts source usage saved outcome error_type file offset length sha256 hash"), tags)
}

func TestHeads(t *testing.T) {
	_, head := sample(t)
	again, err := audit.ParseHead(head.String())
	require.NoError(t, err)
	require.Equal(t, head, again)
	text, err := json.Marshal(head)
	require.NoError(t, err)
	require.NoError(t, json.Unmarshal(text, &again))
	require.Equal(t, head, again)
	sum := strings.Repeat("a", 64)
	for _, bad := range []string{"", "1", "1:", ":" + sum, "0:" + sum, "01:" + sum, "+1:" + sum, "1:" + sum[1:], "1:" + sum + "a",
		"1:" + strings.ToUpper(sum), "1:" + sum[1:] + "g", "18446744073709551616:" + sum, " 1:" + sum} {
		_, err := audit.ParseHead(bad)
		require.Error(t, err, bad)
		require.Error(t, again.UnmarshalText([]byte(bad)))
	}
	require.Equal(t, head, again)
	require.True(t, audit.Head{}.IsZero())
}

// endless gives the same bytes again and again.
type endless struct {
	line []byte
	left int
}

func (e *endless) Read(p []byte) (n int, err error) {
	if e.left == 0 {
		return 0, io.EOF
	}
	n = copy(p, e.line)
	e.left--
	return n, nil
}

// TestConstantMemory: reading a log of many records holds no more than one of few.
func TestConstantMemory(t *testing.T) {
	small, large := bigLog(t, 500), bigLog(t, 25_000)
	used := func(content []byte) uint64 {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		_, err := verify(content, audit.Check{})
		require.NoError(t, err)
		runtime.ReadMemStats(&after)
		return after.TotalAlloc - before.TotalAlloc
	}
	used(small) // the buffers
	require.Less(t, used(large), used(small)+2<<20, "of %d bytes", len(large))
	// A line without an end is not read whole.
	e := &endless{line: bytes.Repeat([]byte("x"), 1<<16), left: 1 << 10}
	_, err := audit.Verify(t.Context(), e, audit.Check{})
	require.ErrorContains(t, err, "longer than any record")
	require.Greater(t, e.left, 1<<9)
}

func TestReadStops(t *testing.T) {
	content, _ := sample(t)
	for r, err := range audit.Read(bytes.NewReader(content), audit.Check{}) {
		require.NoError(t, err)
		require.Equal(t, audit.KindOpened, r.Kind)
		break
	}
	cause := errors.New("the pipe broke")
	_, err := audit.Verify(t.Context(), io.MultiReader(bytes.NewReader(content), failing{cause}), audit.Check{})
	require.ErrorIs(t, err, cause)
	require.NotErrorIs(t, err, audit.ErrBroken)
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(cause)
	_, err = audit.Verify(ctx, bytes.NewReader(bigLog(t, 1000)), audit.Check{})
	require.ErrorIs(t, err, cause)
}

type failing struct{ err error }

func (f failing) Read([]byte) (int, error) { return 0, f.err }

func TestStats(t *testing.T) {
	var s audit.Stats
	content, _ := sample(t)
	for r, err := range audit.Read(bytes.NewReader(content), audit.Check{}) {
		require.NoError(t, err)
		s.Add(r)
	}
	begin := newClock().at
	require.Equal(t, begin.Add(time.Second), s.Begin)
	s.Begin, s.End = time.Time{}, time.Time{}
	s.Add(audit.Record{Kind: audit.KindOutcome, Outcome: "of tomorrow", Usage: audit.Usage{InputTokens: 1<<63 - 1, OutputTokens: -5}})
	s.Add(audit.Record{Kind: audit.KindIntent})
	got, err := json.Marshal(s)
	require.NoError(t, err)
	require.JSONEq(t, `{"records":9,"intents":4,"outcomes":4,"opened":1,"recovered":0,"answered":1,"replayed":1,"ambiguous":1,"refused":0,"failed":0,
		"other":1,"unsettled":1,"attempts":3,"paid":{"input_tokens":9223372036854775807,"output_tokens":34},"saved":{"input_tokens":12,"output_tokens":34}}`, string(got))
	require.EqualValues(t, 1<<63-1, s.Paid.Total())
}
