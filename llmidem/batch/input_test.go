package batch_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/llmidem/llmidem-go/llmidem"
	"github.com/llmidem/llmidem-go/llmidem/batch"
)

// faultsOf runs a bad input, of which nothing may be sent or written down.
func faultsOf(t *testing.T, in string, opts ...batch.Option) *batch.InputError {
	t.Helper()
	d := newDesk(t)
	sum, err := d.run(in, opts...)
	var bad *batch.InputError
	require.ErrorAs(t, err, &bad)
	require.Zero(t, sum)
	require.Empty(t, d.srv.Ledger().Requests)
	_, err = d.run(items(1))
	require.NoError(t, err, "the state is still of no batch")
	return bad
}

// TestB8_BadInput, and B1: what is wrong is found before anything is sent, with the
// number of its line.
func TestB8_BadInput(t *testing.T) {
	ok := item("ok", "q")
	line := func(s string) string { return s + "\n" }
	for name, c := range map[string]struct {
		in   string
		line int64
		says string
	}{
		"B8 empty":          {"", 0, "the input is empty"},
		"B8 blank":          {"\n\n", 0, "the input is empty"},
		"B8 not JSON":       {ok + line(`{"custom_id":"a"`), 2, "it is not JSON (byte 16)"},
		"B8 not UTF-8":      {ok + strings.Replace(item("b", "q"), "b", "b\xff", 1), 2, "it is not UTF-8"},
		"B8 no object":      {ok + line(`["a"]`), 2, "it is not a JSON object"},
		"B8 BOM":            {"\ufeff" + ok, 1, "byte order mark"},
		"B8 CRLF":           {ok + strings.ReplaceAll(item("b", "q")+item("c", "q"), "\n", "\r\n"), 2, "CR LF"},
		"B8 long":           {ok + `{"x":"` + strings.Repeat("x", 50<<20) + `"}` + "\n", 2, "it has 52428809 bytes, more than the 33554432 of MaxLine"},
		"B8 long last":      {ok + strings.Repeat(" ", 33<<20), 2, "more than the 33554432 of MaxLine"},
		"B8 blank between":  {ok + "\n" + item("b", "q"), 2, "blank lines may stand at the end only"},
		"B1 no custom_id":   {ok + line(`{"method":"POST","url":"/v1/chat/completions","body":{}}`), 2, "custom_id is missing"},
		"B1 empty id":       {ok + item("", "q"), 2, "custom_id is missing"},
		"B1 id no text":     {ok + line(`{"custom_id":7}`), 2, "custom_id is not a string"},
		"B1 repeated":       {item("a", "q") + item("b", "q") + item("a", "r"), 3, "custom_id is that of line 1"},
		"B1 repeated, bad":  {item("a", "q") + line(`{"custom_id":"a"}`), 2, "method is missing"},
		"no method":         {strings.Replace(ok, `"method":"POST",`, "", 1), 1, "method is missing"},
		"another method":    {strings.Replace(ok, "POST", "GET", 1), 1, `method is not "POST"`},
		"no url":            {strings.Replace(ok, `"url":"/v1/chat/completions",`, "", 1), 1, "url is missing"},
		"no body":           {line(`{"custom_id":"a","method":"POST","url":"/v1/embeddings"}`), 1, "body is missing"},
		"body no object":    {line(`{"custom_id":"a","method":"POST","url":"/v1/embeddings","body":"x"}`), 1, "body is not an object"},
		"no model":          {line(`{"custom_id":"a","method":"POST","url":"/v1/embeddings","body":{"input":"x"}}`), 1, "the request names no model"},
		"stream":            {strings.Replace(ok, `"model"`, `"stream":true,"model"`, 1), 1, "body asks for a stream"},
		"no record":         {line(`{"custom_id":"a","method":"POST","url":"/v1/responses","body":{"model":"m","background":true}}`), 1, "the call has no record"},
		"no canonical form": {strings.Replace(ok, `"model"`, `"n":1,"n":2,"model"`, 1), 1, "no canonical form"},
	} {
		t.Run(name, func(t *testing.T) {
			bad := faultsOf(t, c.in)
			require.Equal(t, c.line, bad.Faults[0].Line, bad)
			require.Contains(t, bad.Faults[0].Reason, c.says)
			require.Contains(t, bad.Error(), "in: ")
		})
	}
	for _, url := range []string{"/chat/completions", "/v2/chat/completions", "https://evil.example/v1/chat/completions", "//evil/v1/chat/completions",
		"/v1/../v1/chat/completions", "/v1/x/chat/completions", "/v1/chat/completions?x=1", "/v1/chat/completions#x", "/v1/chat/completions/",
		"/v1//chat/completions", "/v1/unknown", "/v1", "v1/chat/completions", "/v1/chat%2Fcompletions"} {
		bad := faultsOf(t, strings.Replace(ok, "/v1/chat/completions", url, 1))
		require.Contains(t, bad.Faults[0].Reason, "url is not /v1 and a known route", url)
	}
}

// TestB8_AllAtOnce: the first 20 faults are told, in order, and the others counted.
func TestB8_AllAtOnce(t *testing.T) {
	var in strings.Builder
	for i := range 1000 {
		in.WriteString(item(fmt.Sprint("id ", i%500), fmt.Sprint("q", i)))
		in.WriteString("nonsense\n")
	}
	bad := faultsOf(t, in.String())
	require.Len(t, bad.Faults, 20)
	require.Equal(t, 1500-20, bad.More)
	for i, f := range bad.Faults {
		require.EqualValues(t, 2*(i+1), f.Line)
	}
	require.Contains(t, bad.Error(), "\n  and 1480 more")
	require.Contains(t, bad.Error(), "1500 faults found; nothing was sent")
}

func TestGoodInput(t *testing.T) {
	ok := item("a", "q")
	for name, in := range map[string]string{
		"without a last newline": strings.TrimSuffix(ok, "\n"),
		"blank lines at the end": ok + "\n\n  \n",
		"not a stream":           strings.Replace(ok, `"model"`, `"stream":false,"model"`, 1),
		"the word in a prompt":   item("a", `say "stream": true`),
		"other members":          strings.Replace(ok, `{"custom`, `{"note":{"a":1},"custom`, 1),
		"escapes":                strings.Replace(ok, `"/v1/`, `"\/v1\/`, 1),
		"two ids in two cases":   strings.Replace(ok, `"method"`, `"Custom_ID":"b","method"`, 1) + item("c", "q"),
		"an id that is escaped":  strings.Replace(ok, `"custom_id":"a"`, `"custom_id":"\u0061"`, 1) + item("b", "q"),
		"an id in the prompt":    item("a", `"custom_id":"b"`) + item("b", "q"),
		"a strange id":           item("\u2028 \u00e9 <b>&\t\\\"", "q"),
		"a long line":            item("a", strings.Repeat("word ", 1<<20)),
	} {
		t.Run(name, func(t *testing.T) {
			d := newDesk(t)
			n := strings.Count(strings.TrimSpace(in), "\n") + 1
			require.Equal(t, n, d.mustRun(in).Sent)
			require.Equal(t, n, d.mustRun(in).Done)
			require.Len(t, resultsIn(t, d.results), n)
		})
	}
}

func TestBadUse(t *testing.T) {
	d := newDesk(t)
	plain, err := llmidem.New(d.srv.Provider())
	require.NoError(t, err)
	in := func() batch.Source { return batch.FromReader("in", strings.NewReader(items(1))) }
	for says, run := range map[string]func() (batch.Summary, error){
		"the client is nil":       func() (batch.Summary, error) { return batch.Run(t.Context(), nil, in(), batch.ToNowhere(), d.to()) },
		"llmidem.ForBatch(state)": func() (batch.Summary, error) { return batch.Run(t.Context(), plain, in(), batch.ToNowhere(), d.to()) },
		"no source": func() (batch.Summary, error) {
			return batch.Run(t.Context(), d.client, batch.Source{}, batch.ToNowhere(), d.to())
		},
		"no sink": func() (batch.Summary, error) { return batch.Run(t.Context(), d.client, in(), batch.Sink{}, d.to()) },
		"no target": func() (batch.Summary, error) {
			return batch.Run(t.Context(), d.client, in(), batch.ToNowhere(), batch.Target{})
		},
		"the base URL does not parse": func() (batch.Summary, error) {
			return batch.Run(t.Context(), d.client, in(), batch.ToNowhere(), batch.To("http://[", nil))
		},
		"not http or https": func() (batch.Summary, error) {
			return batch.Run(t.Context(), d.client, in(), batch.ToNowhere(), batch.To("ftp://x/v1", nil))
		},
		"Concurrency(0); use 1": func() (batch.Summary, error) { return d.run(items(1), batch.Concurrency(0)) },
		"MaxLine(-1)":           func() (batch.Summary, error) { return d.run(items(1), batch.MaxLine(-1)) },
		"must not be negative":  func() (batch.Summary, error) { return d.run(items(1), batch.RequestsPerMinute(-1)) },
		"StopAfter(-1)":         func() (batch.Summary, error) { return d.run(items(1), batch.StopAfter(-1)) },
		"an Option is nil":      func() (batch.Summary, error) { return d.run(items(1), nil) },
		"it has no such batch yet": func() (batch.Summary, error) {
			return batch.Collect(t.Context(), d.client, in(), batch.ToNowhere(), d.to())
		},
		"RetryFailed is for Run": func() (batch.Summary, error) {
			return batch.Collect(t.Context(), d.client, in(), batch.ToNowhere(), d.to(), batch.RetryFailed())
		},
	} {
		sum, err := run()
		require.ErrorContains(t, err, says)
		require.Zero(t, sum)
	}
	require.NoError(t, plain.Close(t.Context()))
	require.Empty(t, d.srv.Ledger().Requests)
}

// TestSinkFails: what was answered is in the state.
func TestSinkFails(t *testing.T) {
	d := newDesk(t)
	broken := errors.New("no more")
	n := 0
	sink := batch.ToFunc(func(batch.Result) error {
		if n++; n > 10 {
			return broken
		}
		return nil
	})
	_, err := d.runTo(items(100), sink, batch.Concurrency(4))
	require.ErrorIs(t, err, broken)
	done := d.srv.Ledger().Executions()
	require.Less(t, done, 100)
	sum := d.mustRun(items(100))
	require.Equal(t, done, sum.Stored)
	checkAnswers(t, resultsIn(t, d.results), 100)
	require.Equal(t, 100, d.srv.Ledger().Executions())
}

func TestPlan(t *testing.T) {
	d := newDesk(t)
	client, err := llmidem.New(d.srv.Provider())
	require.NoError(t, err)
	defer client.Close(t.Context())
	picture := `{"custom_id":"p","method":"POST","url":"/v1/chat/completions","body":{"model":"big","messages":[{"role":"user","content":[{"type":"image_url","image_url":{"url":"data:image/png;base64,AAAA"}}]}]}}` + "\n"
	in := item("a", "q") + item("b", "q") + picture
	report, err := batch.Plan(t.Context(), client, batch.FromReader("in", strings.NewReader(in)), d.to())
	require.NoError(t, err)
	require.Len(t, report.Input, 64)
	require.Equal(t, map[string]int{"gpt-4o-mini": 2, "big": 1}, report.Models)
	require.Equal(t, map[string]int{"/v1/chat/completions": 3}, report.Routes)
	report.Input, report.Models, report.Routes = "", nil, nil
	require.Positive(t, report.Largest)
	require.Less(t, report.Largest, report.Bytes)
	report.Bytes, report.Largest = 0, 0
	require.Equal(t, batch.Report{Items: 3, Equal: 1, Keys: 3, Attachments: 1, AttachmentBytes: 3}, report)
	report, err = batch.Plan(t.Context(), client, batch.FromReader("in", strings.NewReader(in)), d.to(), batch.Collapse())
	require.NoError(t, err)
	require.Equal(t, 2, report.Keys)
	_, err = batch.Plan(t.Context(), client, batch.FromReader("in", strings.NewReader("x")), d.to())
	require.ErrorContains(t, err, "line 1: it is not JSON")
	require.Empty(t, d.srv.Ledger().Requests)
}
