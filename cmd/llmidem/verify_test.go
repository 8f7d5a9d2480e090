package main

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	sdk "github.com/llmidem/llmidem-go/llmidem"
	"github.com/llmidem/llmidem-go/llmidem/llmtest"
	"github.com/stretchr/testify/require"
)

func serve(t *testing.T, k sdk.Keys, opts ...llmtest.Option) *llmtest.Server {
	return llmtest.New(t, append(opts, llmtest.WithKeys(k))...)
}

func TestVerifyTellsTheClass(t *testing.T) {
	for _, c := range []struct {
		keys    sdk.Keys
		steady  bool // equal requests have one text
		degree  degree
		results string
		code    string
	}{
		{sdk.Keys{}, false, proved,
			"first key: accepted, same key: ignore, other key: other_answer, at once: executes, cut: executes (likely)", "{}"},
		{sdk.Keys{}, true, likely,
			"first key: accepted, same key: ignore (likely), other key: same_text, at once: executes (likely), cut: executes (likely)", "{}"},
		{sdk.Keys{Class: sdk.Replay}, false, proved,
			"first key: accepted, same key: replay, other key: other_answer, other body: conflict, AT ONCE, cut: replays, form: accepted, form: accepted, form: accepted, form: accepted",
			"{Class: llmidem.Replay}"},
		{sdk.Keys{Class: sdk.Replay}, true, proved,
			"first key: accepted, same key: replay, other key: same_text, other body: conflict, AT ONCE, cut: replays, form: accepted, form: accepted, form: accepted, form: accepted",
			"{Class: llmidem.Replay}"},
		{sdk.Keys{Class: sdk.Reject}, false, proved,
			"first key: accepted, same key: reject, other key: other_answer, at once: refuses, cut: refuses, form: accepted, form: accepted, form: accepted, form: accepted",
			"{Class: llmidem.Reject}"},
	} {
		t.Run(fmt.Sprintf("%s/%t", c.keys.Class, c.steady), func(t *testing.T) {
			opts := []llmtest.Option{llmtest.Sampled()}
			if c.steady {
				opts = nil
			}
			srv := serve(t, c.keys, opts...)
			r := verifyURL(t, srv.URL(), "--json")
			require.Equal(t, statusOK, r.status, r.err)
			rep := reported(t, r)
			require.Equal(t, c.keys.Class.String(), rep.Class)
			require.Equal(t, c.degree, rep.Degree)
			// A server that answers at once may do so between the two.
			got := strings.Join(rep.results(), ", ")
			for _, said := range []string{"unknown (not told)", "waits", "refuses"} {
				got = strings.ReplaceAll(got, "at once: "+said+", cut: rep", "AT ONCE, cut: rep")
			}
			require.Equal(t, c.results, got)
			require.Equal(t, len(srv.Ledger().Requests), rep.Calls)
			require.LessOrEqual(t, rep.Calls, rep.MaxCalls)
			require.Contains(t, rep.Go, `providers.Gateway("127.0.0.1", llmidem.Keys`+c.code+")")
			require.Equal(t, "Bearer "+apiKey, srv.Ledger().Requests[0].Header.Get("Authorization"))
		})
	}
}

func TestVerifyFindsTheFormOfKeys(t *testing.T) {
	for _, c := range []struct {
		keys  sdk.Keys
		code  string
		forms []string
	}{
		{sdk.Keys{Class: sdk.Replay, Quoted: true, MaxLen: 69}, "{Class: llmidem.Replay, Quoted: true, MaxLen: 69}",
			[]string{"idem_ and 64 digits refused", "idem_ and 64 digits, quoted accepted", "UUID, quoted accepted", "255 letters and digits, quoted refused"}},
		{sdk.Keys{Class: sdk.Replay, MaxLen: 255}, "{Class: llmidem.Replay, MaxLen: 255}",
			[]string{"idem_ and 64 digits accepted", "idem_ and 64 digits, quoted accepted", "UUID accepted", "255 letters and digits accepted", "256 letters and digits refused"}},
		{sdk.Keys{Class: sdk.Replay, MaxLen: 64}, "{Class: llmidem.Replay, MaxLen: 64}",
			[]string{"idem_ and 64 digits refused", "idem_ and 64 digits, quoted refused", "UUID accepted", "64 letters and digits accepted", "36 with an underscore accepted"}},
		{sdk.Keys{Class: sdk.Reject, MaxLen: 40}, "{Class: llmidem.Reject, MaxLen: 40}",
			[]string{"idem_ and 64 digits refused", "idem_ and 64 digits, quoted refused", "UUID accepted", "64 letters and digits refused", "40 letters and digits accepted", "36 with an underscore accepted"}},
		{sdk.Keys{Class: sdk.Replay, Quoted: true, MaxLen: 36}, "{Class: llmidem.Replay, Quoted: true, MaxLen: 36}",
			[]string{"idem_ and 64 digits refused", "idem_ and 64 digits, quoted refused", "UUID refused", "UUID, quoted accepted",
				"64 letters and digits, quoted refused", "40 letters and digits, quoted refused", "36 with an underscore, quoted accepted"}},
		{sdk.Keys{Class: sdk.Replay, Pattern: "[a-z0-9-]{1,256}"}, `{Class: llmidem.Replay, Pattern: "[A-Za-z0-9-]+"}`,
			[]string{"idem_ and 64 digits refused", "idem_ and 64 digits, quoted refused", "UUID accepted", "64 letters and digits accepted", "36 with an underscore refused"}},
		{sdk.Keys{Class: sdk.Replay, Header: "X-Once"}, `{Class: llmidem.Replay, Header: "X-Once"}`,
			[]string{"idem_ and 64 digits accepted", "idem_ and 64 digits, quoted accepted", "UUID accepted", "255 letters and digits accepted", "256 letters and digits accepted"}},
	} {
		t.Run(c.code, func(t *testing.T) {
			srv := serve(t, c.keys, llmtest.Sampled())
			args := []string{"--json", "--max-calls", "20"}
			if c.keys.Header != "" {
				args = append(args, "--key-header", "x-once")
			}
			rep := reported(t, verifyURL(t, srv.URL(), args...))
			require.Equal(t, c.keys.Class.String(), rep.Class)
			require.Contains(t, strings.ToLower(rep.Go), strings.ToLower("llmidem.Keys"+c.code))
			var forms []string
			for _, f := range rep.Forms {
				require.Equal(t, strings.Contains(f.Form, "quoted"), f.Quoted)
				forms = append(forms, f.Form+" "+f.Result)
			}
			require.Equal(t, c.forms, forms)
		})
	}
}

func TestVerifyExpectations(t *testing.T) {
	for _, class := range []sdk.KeyClass{sdk.Ignore, sdk.Replay, sdk.Reject} {
		srv := serve(t, sdk.Keys{Class: class}, llmtest.Sampled())
		for _, want := range []string{"ignore", "replay", "reject"} {
			r := verifyURL(t, srv.URL(), "--json", "--expect", want, "--max-calls", "3")
			rep := reported(t, r)
			require.Equal(t, want, rep.Expect)
			require.Equal(t, want == class.String(), rep.Met)
			if want == class.String() {
				require.Equal(t, statusOK, r.status)
				continue
			}
			require.Equal(t, statusDiffer, r.status)
			require.True(t, strings.HasSuffix(r.err, "llmidem: the expectation is not met: expected "+want+", found "+class.String()+"\n"), r.err)
		}
	}
}

func TestVerifyNeverAsksMoreThanAllowed(t *testing.T) {
	for _, class := range []sdk.KeyClass{sdk.Ignore, sdk.Replay, sdk.Reject} {
		for n := 1; n <= 14; n++ {
			srv := serve(t, sdk.Keys{Class: class}, llmtest.Sampled())
			r := verifyURL(t, srv.URL(), "--json", "--max-calls", fmt.Sprint(n))
			rep := reported(t, r)
			require.Len(t, srv.Ledger().Requests, rep.Calls)
			require.LessOrEqual(t, rep.Calls, n)
			require.Contains(t, r.err, fmt.Sprintf("at most %d requests", n))
			switch {
			case n == 1:
				require.Equal(t, statusMute, r.status)
				require.Equal(t, unknown, rep.Class)
			case n == 2 && class == sdk.Reject:
				require.Equal(t, likely, rep.Degree)
				fallthrough
			default:
				require.Equal(t, statusOK, r.status)
				require.Equal(t, class.String(), rep.Class)
			}
			if n < 5 {
				require.Contains(t, r.out, "not probed: ")
			}
		}
	}
}

func TestVerifyTable(t *testing.T) {
	srv := serve(t, sdk.Keys{Class: sdk.Reject}, llmtest.Sampled())
	r := verifyURL(t, srv.URL(), "--max-calls", "4", "--expect", "reject")
	require.Equal(t, statusOK, r.status)
	require.Equal(t, `PROBE | WHAT WAS SENT | WHAT CAME BACK | WHAT IT SAYS
first key | idem_ and 64 digits | 200 | accepted (proved): a new key is answered
same key | the same key and body again | 422 duplicate_key | reject (proved): the repeated key was refused, the same body under another key was not
other key | the same body, another key | 200, other text | other_answer (proved): what a new execution looks like
at once | a new key twice at once | - | unknown (not told): not probed: it takes 2 calls, --max-calls leaves 1
cut | a new key, cut off, and sent again | - | unknown (not told): not probed: it takes 2 calls, --max-calls leaves 1
form | idem_ and 64 digits, quoted | 200 | accepted (proved): keys of this form are taken
form | UUID | - | unknown (not told): not probed: it takes 1 call, --max-calls leaves 0
form | 255 letters and digits | - | unknown (not told): not probed: it takes 1 call, --max-calls leaves 0

class | reject (proved): the repeated key was refused, the same body under another key was not
expected | reject: met
calls | 4 of at most 4
in Go | p := providers.Gateway("127.0.0.1", llmidem.Keys{Class: llmidem.Reject})
`, golden(r.out))
	require.Equal(t, "verify: at most 4 requests to "+srv.URL()+"/chat/completions, with the credential in OPENAI_API_KEY and without TLS, for a short text of m each;\n"+
		"verify: at most about 200 tokens in and 128 out, which are billed\n", r.err)
}

func TestVerifyJSONHasEveryMember(t *testing.T) {
	srv := serve(t, sdk.Keys{}, llmtest.Sampled())
	r := verifyURL(t, srv.URL(), "--json", "--max-calls", "3")
	var top map[string]any
	require.NoError(t, json.Unmarshal([]byte(r.out), &top))
	help := llmidem("", "verify", "--help").out
	for _, name := range []string{"url", "provider", "dialect", "model", "key_header", "calls", "max_calls", "class",
		"degree", "reason", "expect", "met", "probes", "forms", "go"} {
		require.Contains(t, top, name)
		require.Contains(t, help, name)
	}
	require.Len(t, top, 15)
	for list, names := range map[string][]string{"probes": {"probe", "did", "got", "result", "degree", "says"}, "forms": {"form", "length", "quoted", "result"}} {
		member := top[list].([]any)[0].(map[string]any)
		require.Len(t, member, len(names))
		for _, name := range names {
			require.Contains(t, member, name)
		}
	}
}
