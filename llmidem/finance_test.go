package llmidem_test

import (
	"context"
	"path/filepath"
	"testing"
	"testing/synctest"
	"time"

	openai "github.com/sashabaranov/go-openai"
	"github.com/stretchr/testify/require"

	"github.com/llmidem/llmidem-go/llmidem"
	"github.com/llmidem/llmidem-go/llmidem/audit"
	"github.com/llmidem/llmidem-go/llmidem/identity"
	"github.com/llmidem/llmidem-go/llmidem/llmtest"
	"github.com/llmidem/llmidem-go/llmidem/store"
)

var ledgerNamespace = [16]byte{0x5e, 0x1f, 0x0a, 0x77, 0x3c, 0x44, 0x4b, 0x0e, 0x9a, 0x61, 0x2d, 0x35, 0xc8, 0x10, 0x7e, 0x42}

// newLog is an audit log of a test's own.
func newLog(t *testing.T, opts ...audit.Option) *audit.Log {
	t.Helper()
	log, err := audit.Open(filepath.Join(t.TempDir(), "audit.jsonl"), opts...)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, log.Close()) })
	return log
}

// lines are the records of a log about calls.
func lines(t *testing.T, log *audit.Log) (all []audit.Record) {
	t.Helper()
	for r, err := range audit.ReadFiles([]string{log.Path()}, audit.Check{Head: log.Head()}) {
		require.NoError(t, err)
		if r.Kind == audit.KindIntent || r.Kind == audit.KindOutcome {
			all = append(all, r)
		}
	}
	return all
}

// lastingStore is a store that ForFinance takes.
func lastingStore(t *testing.T) store.Store {
	t.Helper()
	memory, err := store.NewMemory(store.MemoryConfig{})
	require.NoError(t, err)
	return sharedMemory{memory}
}

// finance is a bench with the preset.
func finance(t *testing.T, log *audit.Log, opts ...llmidem.Option) *bench {
	t.Helper()
	srv := llmtest.New(t, llmtest.InMemory(), llmtest.Sampled())
	return benchOver(t, srv, append([]llmidem.Option{llmidem.ForFinance(ledgerNamespace, log), llmidem.WithStore(lastingStore(t))}, opts...)...)
}

func TestForFinance_IntentBeforeOutcomeAfter(t *testing.T) {
	log := newLog(t, audit.WithPlainUsers())
	b := finance(t, log)
	var atSend []audit.Record
	b.srv.Handle(func(*llmtest.Request) llmtest.Fault { atSend = lines(t, log); return llmtest.OK() })
	res, err := b.ask(t.Context(), "transfer", llmidem.User("u-42"))
	require.NoError(t, err)
	require.Len(t, atSend, 1, "the intent is on the disk before anything is sent")

	all := lines(t, log)
	require.Len(t, all, 2)
	intent, outcome := all[0], all[1]
	require.Equal(t, audit.KindIntent, intent.Kind)
	require.Equal(t, audit.OutcomeAnswered, outcome.Outcome)
	require.Equal(t, intent.Sequence, outcome.Intent)
	require.Equal(t, "provider", outcome.Source)
	require.Equal(t, res.Receipt.Usage.OutputTokens, outcome.Usage.OutputTokens)
	require.Equal(t, []audit.Attempt{{Class: "done", Status: 200}}, outcome.Attempts)
	for _, r := range all {
		require.Equal(t, res.Receipt.Key, r.Key)
		require.Equal(t, "uuid5", r.Scheme)
		require.Equal(t, res.Receipt.Address, r.Address)
		require.Equal(t, res.Receipt.TraceID, r.TraceID)
		require.Equal(t, "u-42", r.User)
		require.Equal(t, "chat", r.Operation)
		require.Equal(t, "gpt-4o-mini", r.Model)
	}
	require.Len(t, res.Receipt.Key.String(), 36)

	_, err = b.ask(t.Context(), "transfer", llmidem.User("u-42"))
	require.NoError(t, err)
	all = lines(t, log)
	require.Len(t, all, 3, "an answer that was there needs no intent")
	require.Equal(t, audit.OutcomeReplayed, all[2].Outcome)
	require.Equal(t, res.Receipt.TraceID, all[2].OriginTraceID)
	require.Positive(t, all[2].Saved.OutputTokens)
}

// A call that may have been executed is in doubt for every process, until Forget.
func TestForFinance_InDoubtUntilForgotten(t *testing.T) {
	log, st := newLog(t), lastingStore(t)
	b := finance(t, log, llmidem.WithStore(st))
	b.srv.Next(llmtest.DropAfter())
	_, err := b.ask(t.Context(), "doubt", llmidem.User("u"))
	require.Equal(t, llmidem.CodeAmbiguous, llmidem.CodeOf(err))
	require.Equal(t, 1, b.srv.Ledger().Executions())
	var e *llmidem.Error
	require.ErrorAs(t, err, &e)

	other := benchOver(t, b.srv, llmidem.ForFinance(ledgerNamespace, newLog(t)), llmidem.WithStore(st))
	for range 2 {
		_, err = other.ask(t.Context(), "doubt", llmidem.User("u"))
		require.Equal(t, llmidem.CodeAmbiguous, llmidem.CodeOf(err))
	}
	require.Equal(t, 1, b.srv.Ledger().Executions())
	all := lines(t, log)
	require.Equal(t, audit.OutcomeAmbiguous, all[len(all)-1].Outcome)
	require.NoError(t, other.client.Forget(t.Context(), e.Address))
	res, err := b.ask(t.Context(), "doubt", llmidem.User("u"))
	require.NoError(t, err)
	require.True(t, res.Receipt.Paid())
}

// What the preset cannot keep its promise for is refused before anything is sent,
// and the refusal is in the log.
func TestForFinance_RefusesCalls(t *testing.T) {
	log := newLog(t)
	b := finance(t, log)
	ask := func(req openai.ChatCompletionRequest, opts ...llmidem.CallOption) error {
		_, err := llmidem.Call(t.Context(), b.api.CreateChatCompletion, req, opts...)
		return err
	}
	user := llmidem.User("u")
	for want, err := range map[string]error{
		"has no user": ask(chat("a")),
		"NoRecall":    ask(chat("a"), user, llmidem.NoRecall()),
		"Exclude":     ask(chat("a"), user, llmidem.Exclude("metadata")),
	} {
		require.Equal(t, llmidem.CodeInvalid, llmidem.CodeOf(err), want)
		require.ErrorContains(t, err, want)
	}
	_, err := b.api.CreateChatCompletionStream(llmidem.WithCall(t.Context(), user), chat("a"))
	require.ErrorContains(t, err, "stream")
	req := b.request("/chat/completions", `{"model":"m","user":"u","messages":[],"temprature":1}`)
	_, err = b.client.RoundTrip(req)
	require.ErrorContains(t, err, `"/temprature"`)
	req = b.request("/chat/completions", `{"model":"m","user":"u","messages":[],"request_id":"r"}`)
	_, err = b.client.RoundTrip(req)
	require.ErrorContains(t, err, `"/request_id"`, "nothing is excluded, also not what is by default")
	_, err = llmidem.Do(t.Context(), b.client, "charge", 1, func(context.Context, identity.Key) (int, error) { return 1, nil })
	require.ErrorContains(t, err, "has no user")
	req = b.request("/chat/completions", `{"user":"u","messages":[]}`)
	_, err = b.client.RoundTrip(req)
	require.ErrorContains(t, err, "no_model", "K8: what has no identity is refused")
	require.Empty(t, b.srv.Ledger().Requests)
	for _, r := range lines(t, log) {
		require.Equal(t, audit.OutcomeRefused, r.Outcome)
	}
}

// An option after the preset that breaks its promise is refused by New.
func TestForFinance_PromiseIsKept(t *testing.T) {
	log := newLog(t)
	srv := llmtest.New(t, llmtest.InMemory())
	preset, lasting := llmidem.ForFinance(ledgerNamespace, log), llmidem.WithStore(lastingStore(t))
	memory, err := store.NewMemory(store.MemoryConfig{})
	require.NoError(t, err)
	for want, opts := range map[string][]llmidem.Option{
		"":                        {preset, lasting},
		"has no audit log":        {llmidem.ForFinance(ledgerNamespace, nil), lasting},
		"power cut":               {llmidem.ForFinance(ledgerNamespace, newLog(t, audit.WithSync(audit.SyncAsync(time.Second, 10)))), lasting},
		"random namespace":        {llmidem.ForFinance([16]byte{}, log), lasting},
		"WithAudit":               {preset, lasting, llmidem.WithAudit(newLog(t))},
		"WithScheme":              {preset, lasting, llmidem.WithScheme(identity.SHA256("idem_"))},
		"KeyPrefix":               {preset, lasting, llmidem.Config{KeyPrefix: "key_"}},
		"ExcludedFields":          {preset, lasting, llmidem.Config{ExcludedFields: []string{"metadata"}}},
		"OnAmbiguous":             {preset, lasting, llmidem.Config{OnAmbiguous: llmidem.Retry}},
		"OnUnknown":               {preset, lasting, llmidem.Config{OnUnknown: llmidem.Retry}},
		"StoreDown":               {preset, lasting, llmidem.Config{StoreDown: llmidem.Proceed}},
		"WithRecall":              {preset, lasting, llmidem.WithRecall(llmidem.RecallUndelivered)},
		"WithRecall(off)":         {preset, lasting, llmidem.WithRecall(llmidem.RecallOff)},
		"neither a provider":      {preset},
		"neither a provider that": {preset, llmidem.WithStore(memory)},
		"may lose claims":         {preset, llmidem.WithStore(lossy{memory})},
		"first option":            {llmidem.WithRecall(llmidem.RecallAlways), preset, lasting},
	} {
		client, err := llmidem.New(srv.Provider(), opts...)
		if want == "" {
			require.NoError(t, err)
			require.NoError(t, client.Close(t.Context()))
			continue
		}
		if want == "WithRecall(off)" {
			want = "WithRecall"
		}
		require.ErrorContains(t, err, want)
	}
	client, err := llmidem.New(srv.Provider(), preset, llmidem.WithStore(lossy{memory}), llmidem.Config{AcceptStoreLoss: true})
	require.NoError(t, err)
	require.NoError(t, client.Close(t.Context()))
	replays := srv.Provider()
	replays.Keys.Class = llmidem.Replay
	client, err = llmidem.New(replays, preset)
	require.NoError(t, err, "a provider that replays needs no store")
	require.NoError(t, client.Close(t.Context()))
}

// lossy passes for a shared store whose failover may lose records.
type lossy struct{ *store.Memory }

func (lossy) Traits() store.Traits { return store.Traits{Shared: true} }

// A call that goes on without its caller has its outcome when it ends, whoever waits.
func TestWithAudit_DetachedAndShared(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		log := newLog(t)
		b := newBench(t, llmidem.WithAudit(log))
		b.srv.Next(llmtest.Delay(time.Minute))
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		_, err := b.ask(ctx, "leaves")
		require.Equal(t, llmidem.CodeInProgress, llmidem.CodeOf(err))
		require.NoError(t, b.client.Close(t.Context()))
		all := lines(t, log)
		require.Len(t, all, 2)
		require.Equal(t, audit.OutcomeAnswered, all[1].Outcome)
		require.Equal(t, all[0].Sequence, all[1].Intent)
	})
	synctest.Test(t, func(t *testing.T) {
		log := newLog(t)
		b := newBench(t, llmidem.WithAudit(log))
		b.srv.Next(llmtest.Delay(time.Minute))
		for _, o := range b.askAll(10, "shared") {
			require.NoError(t, o.err)
		}
		count := map[audit.Outcome]int{}
		for _, r := range lines(t, log) {
			count[r.Outcome]++
		}
		require.Equal(t, map[audit.Outcome]int{"": 1, audit.OutcomeAnswered: 1, audit.OutcomeReplayed: 9}, count)
	})
}

// A stream has its outcome when it was read.
func TestWithAudit_Streams(t *testing.T) {
	log := newLog(t)
	b := newBench(t, llmidem.WithAudit(log))
	slow := llmtest.OK().Pace(20 * time.Millisecond)
	b.srv.Next(llmtest.OK(), llmtest.CutEvents(3), slow, slow)
	for _, prompt := range []string{"whole", "cut"} {
		stream, err := b.api.CreateChatCompletionStream(t.Context(), chat(prompt))
		require.NoError(t, err)
		for err == nil {
			_, err = stream.Recv()
		}
		require.NoError(t, stream.Close())
	}
	ctx, cancel := context.WithCancel(t.Context())
	stream, err := b.api.CreateChatCompletionStream(ctx, chat("one two three four five six seven eight"))
	require.NoError(t, err)
	_, err = stream.Recv()
	require.NoError(t, err)
	cancel() // its end must not leave the call without a line
	_ = stream.Close()
	closed, err := b.api.CreateChatCompletionStream(t.Context(), chat("and nine ten eleven twelve thirteen"))
	require.NoError(t, err)
	_ = closed.Close()
	require.NoError(t, b.client.Close(t.Context()))
	var outcomes []audit.Outcome
	for _, r := range lines(t, log) {
		if r.Kind == audit.KindOutcome {
			outcomes = append(outcomes, r.Outcome)
		}
	}
	require.Equal(t, []audit.Outcome{audit.OutcomeAnswered, audit.OutcomeAmbiguous, audit.OutcomeAmbiguous, audit.OutcomeAmbiguous}, outcomes)
}
