package llmidem_test

import (
	"context"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/llmidem/llmidem-go/llmidem"
	"github.com/llmidem/llmidem-go/llmidem/identity"
	"github.com/llmidem/llmidem-go/llmidem/llmtest"
)

// step asks and gives the text of the answer.
func (b *bench) step(ctx context.Context, prompt string, opts ...llmidem.CallOption) string {
	b.t.Helper()
	res, err := b.ask(ctx, prompt, opts...)
	require.NoError(b.t, err)
	return res.Value.Choices[0].Message.Content
}

// steps asks the same thing n times.
func (b *bench) steps(ctx context.Context, n int, prompt string) (all []string) {
	b.t.Helper()
	for range n {
		all = append(all, b.step(ctx, prompt))
	}
	return all
}

func TestRun_EqualCallsAreCounted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, p := processes(t, 2)
		first := p[0].steps(llmidem.WithRun(t.Context(), "r"), 3, "draw")
		require.Len(t, unique(first), 3, "each is a call of its own: %v", first)
		again := p[1].steps(llmidem.WithRun(t.Context(), "r"), 3, "draw")
		require.Equal(t, first, again, "a restart finds them in order")
		require.Equal(t, first, p[0].steps(llmidem.WithRun(t.Context(), "r"), 3, "draw"), "so does one in the same process")
		require.NotContains(t, first, p[1].step(llmidem.WithRun(t.Context(), "s"), "draw"), "another run is another scope")
		require.NotContains(t, first, p[1].step(t.Context(), "draw"))
		require.Equal(t, 5, p[0].srv.Ledger().Executions())
		for _, lives := range p {
			require.Empty(t, lives.logs.with("WARN"))
		}
	})
}

func unique(all []string) map[string]bool {
	m := map[string]bool{}
	for _, s := range all {
		m[s] = true
	}
	return m
}

func TestN1_FirstOfTwoFails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, p := processes(t, 2)
		ctx := llmidem.WithRun(t.Context(), "r")
		p[0].srv.Next(llmtest.Status(400).Delay(time.Second), llmtest.Delay(3*time.Second))
		first := p[0].asking(ctx, "draw")
		synctest.Wait()
		second := p[0].asking(ctx, "draw")
		require.Error(t, (<-first).err)
		next := p[0].step(ctx, "draw")
		other := <-second
		require.NoError(t, other.err)
		require.True(t, other.res.Receipt.Unordered)
		text := other.res.Value.Choices[0].Message.Content
		require.NotEqual(t, text, next, "it has an answer of its own")
		require.Equal(t, []string{next, text}, p[1].steps(llmidem.WithRun(t.Context(), "r"), 2, "draw"))
		require.Equal(t, 2, p[0].srv.Ledger().Executions())
	})
}

// N2: what runs at the same time is kept apart by branches, whoever comes first.
func TestN2_BranchesFindTheirAnswers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, p := processes(t, 2)
		life := func(p *process, order ...string) map[string][]string {
			ctx, found := llmidem.WithRun(t.Context(), "r"), map[string][]string{}
			var wg sync.WaitGroup
			var mu sync.Mutex
			for i, name := range order {
				wg.Go(func() {
					time.Sleep(time.Duration(i) * time.Second)
					texts := p.steps(llmidem.Branch(ctx, name), 2, "draw")
					mu.Lock()
					defer mu.Unlock()
					found[name] = texts
				})
			}
			wg.Wait()
			return found
		}
		p[0].srv.Handle(func(*llmtest.Request) llmtest.Fault { return llmtest.Delay(10 * time.Second) })
		first := life(p[0], "a", "b", "c")
		require.Equal(t, first, life(p[1], "c", "b", "a"))
		require.Equal(t, 6, p[0].srv.Ledger().Executions())
		require.Empty(t, p[0].logs.with("same time"))
	})
}

func TestN2_WithoutBranchItIsSaid(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, p := processes(t, 2)
		p[0].srv.Next(llmtest.Delay(2*time.Second), llmtest.Delay(time.Second), llmtest.Delay(time.Second))
		life := func(p *process) (texts []string) {
			ctx := llmidem.WithRun(t.Context(), "r")
			var all []<-chan outcome
			for range 3 {
				all = append(all, p.asking(ctx, "draw"))
			}
			for _, ended := range all {
				o := <-ended
				require.NoError(t, o.err)
				texts = append(texts, o.res.Value.Choices[0].Message.Content)
				require.True(t, o.res.Receipt.Unordered || o.res.Receipt.Attempts == 0)
			}
			last, err := p.ask(ctx, "draw")
			require.NoError(t, err)
			require.False(t, last.Receipt.Unordered, "nothing else is under way")
			return texts
		}
		first, second := life(p[0]), life(p[1])
		require.Len(t, unique(first), 3)
		require.Equal(t, unique(first), unique(second), "the same answers, if not to the same callers")
		require.Equal(t, 4, p[0].srv.Ledger().Executions())
		require.Len(t, p[0].logs.with("llmidem.Branch"), 1, "once a client")
	})
}

// N4: a call that failed in the first life takes no number, and a tool has the
// result of the first life, so that all that follows is the same.
func TestN4_FailedCallAndAnotherResult(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, p := processes(t, 3, llmidem.WithTenant("acme"))
		runs := 0
		life := func(p *process, weather string) (texts []string) {
			ctx := llmidem.WithRun(t.Context(), "r")
			text := func() string {
				for {
					if res, err := p.ask(ctx, "plan"); err == nil {
						return res.Value.Choices[0].Message.Content
					}
				}
			}
			texts = append(texts, text())
			tool, err := llmidem.Do(ctx, p.client, "weather", "Paris", func(context.Context, identity.Key) (string, error) {
				runs++
				return weather, nil
			})
			require.NoError(t, err)
			return append(texts, text(), p.step(ctx, "It is "+tool.Value))
		}
		p[0].srv.Next(llmtest.Status(400), llmtest.OK(), llmtest.HTML().AfterWork())
		first := life(p[0], "sunny")
		executions := p[0].srv.Ledger().Executions()
		require.Equal(t, first, life(p[1], "rainy"))
		require.Equal(t, first, life(p[2], "foggy"))
		require.Equal(t, executions, p[0].srv.Ledger().Executions())
		require.Equal(t, 1, runs)
		require.Contains(t, first[2], "sunny")
	})
}

// N5: two processes with one run id are one run: what one has asked, or asks, the
// other is answered.
func TestN5_TwoProcesses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		memory, p := processes(t, 2)
		p[0].srv.Handle(func(*llmtest.Request) llmtest.Fault { return llmtest.Delay(time.Second) })
		ctx := [2]context.Context{llmidem.WithRun(t.Context(), "r"), llmidem.WithRun(t.Context(), "r")}
		var left []time.Duration
		for range 3 { // the first time both begin the run
			a, b := p[0].asking(ctx[0], "draw"), p[1].asking(ctx[1], "draw")
			one, two := <-a, <-b
			require.NoError(t, one.err)
			require.NoError(t, two.err)
			require.Equal(t, one.res.Value.Choices, two.res.Value.Choices)
			rec, err := memory.Get(t.Context(), one.res.Receipt.Address)
			require.NoError(t, err)
			left = append(left, rec.Left)
			require.False(t, one.res.Receipt.Unordered)
		}
		require.Equal(t, 3, p[0].srv.Ledger().Executions())
		require.Equal(t, []time.Duration{left[0], left[0] - time.Second, left[0] - 2*time.Second}, left, "they end together")
	})
}

func TestN6_RunInsideOfARun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, p := processes(t, 2)
		life := func(p *process) (texts []string) {
			outer := llmidem.Branch(llmidem.WithRun(t.Context(), "outer"), "branch")
			inner := llmidem.WithRun(outer, "inner")
			for _, ctx := range []context.Context{outer, llmidem.WithRun(outer, "outer"), inner, llmidem.WithRun(inner, "outer"),
				llmidem.WithRun(inner, "inner"), outer} {
				texts = append(texts, p.step(ctx, "draw"))
			}
			return texts
		}
		first := life(p[0])
		require.Len(t, unique(first), 6, "the counters of a run go on inside of it: %v", first)
		require.Equal(t, first, life(p[1]))
		require.Equal(t, []string{first[2], first[4]}, p[1].steps(llmidem.WithRun(t.Context(), "inner"), 2, "draw"),
			"the inner run is the same without the outer one, whose branch it does not have")
		require.NotContains(t, first, p[1].step(llmidem.Branch(llmidem.WithRun(t.Context(), "inner"), "branch"), "draw"))
		branch := llmidem.Branch(llmidem.WithRun(t.Context(), "outer"), "branch")
		require.Equal(t, []string{first[0], first[1], first[3], first[5]}, p[1].steps(branch, 4, "draw"))
	})
}

// The same name from the same context is the same branch.
func TestRun_BranchTwice(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, p := processes(t, 2)
		run := llmidem.WithRun(t.Context(), "r")
		a, b := p[0].step(llmidem.Branch(run, "x"), "draw"), p[0].step(llmidem.Branch(run, "x"), "draw")
		nested := p[0].step(llmidem.Branch(llmidem.Branch(run, "x"), "x"), "draw")
		require.Len(t, unique([]string{a, b, nested}), 3)
		require.Equal(t, []string{a, b}, p[1].steps(llmidem.Branch(llmidem.WithRun(t.Context(), "r"), "x"), 2, "draw"))
	})
}

func TestRun_BadNames(t *testing.T) {
	b := newBench(t)
	refused := func(ctx context.Context, part string) {
		t.Helper()
		_, err := b.ask(ctx, "x")
		require.Equal(t, llmidem.CodeInvalid, llmidem.CodeOf(err))
		require.ErrorContains(t, err, part)
		_, err = llmidem.Do(ctx, b.client, "f", 1, func(context.Context, identity.Key) (int, error) { return 1, nil })
		require.Equal(t, llmidem.CodeInvalid, llmidem.CodeOf(err))
		_, err = b.api.ListModels(ctx)
		require.NoError(t, err, "what is no inference call passes")
	}
	run := llmidem.WithRun(t.Context(), "r")
	for name, part := range map[string]string{"": "empty", strings.Repeat("x", 257): "256 bytes", "a\nb": "control", "\xff": "UTF-8", "a\u0085b": "control"} {
		refused(llmidem.WithRun(t.Context(), name), part)
		refused(llmidem.Branch(run, name), part)
		refused(llmidem.WithRun(llmidem.Branch(run, name), "inner"), part)
	}
	refused(llmidem.Branch(t.Context(), "b"), "outside of a run")
	refused(llmidem.WithRun(llmidem.Branch(t.Context(), "b"), "r"), "outside of a run")
	require.Zero(t, b.srv.Ledger().Executions())
	b.step(llmidem.WithRun(t.Context(), strings.Repeat("ü", 128)), "x")
}

// No list of names reads like another.
func TestRun_ScopesDoNotImitateEachOther(t *testing.T) {
	b := newBench(t)
	ctx := t.Context()
	scopes := map[string]context.Context{
		"a":         llmidem.WithRun(ctx, "a"),
		"a/b":       llmidem.Branch(llmidem.WithRun(ctx, "a"), "b"),
		"a/b/c":     llmidem.Branch(llmidem.Branch(llmidem.WithRun(ctx, "a"), "b"), "c"),
		"a+scope b": llmidem.WithCall(llmidem.WithRun(ctx, "a"), llmidem.Scope("b")),
		"quoted id": llmidem.WithRun(ctx, `a" branch "b`),
		"escaped":   llmidem.WithRun(ctx, `a\" branch \"b`),
		"branch":    llmidem.Branch(llmidem.WithRun(ctx, "a"), `b" branch "c`),
		"backslash": llmidem.WithRun(ctx, `a\`),
		"two":       llmidem.WithRun(ctx, `a\\`),
	}
	keys := map[string]string{}
	for name, ctx := range scopes {
		res, err := b.ask(ctx, "x")
		require.NoError(t, err)
		key := res.Receipt.Key.String()
		require.Empty(t, keys[key], "%s and %s have one key", name, keys[key])
		keys[key] = name
	}
	req := b.request("/chat/completions", chatBody("x"))
	asked := b.read(b.client.RoundTrip(req.WithContext(scopes["a/b"])))
	doc, err := identity.OpenAI().Identify(identity.Request{Path: "/v1/chat/completions", Header: req.Header, Body: []byte(chatBody("x"))},
		identity.Call{Scope: `run "a" branch "b"`})
	require.NoError(t, err)
	key, err := identity.SHA256("idem_").Key(doc)
	require.NoError(t, err)
	require.Equal(t, key.String(), asked.header.Get("Idempotency-Key"), "the format is that of the doc comment")
}
