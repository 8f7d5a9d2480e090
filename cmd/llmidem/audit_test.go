package main

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/llmidem/llmidem-go/llmidem/audit"
	"github.com/llmidem/llmidem-go/llmidem/identity"
)

var auditKey, _ = identity.ParseKey("idem_1111111111111111111111111111111111111111111111111111111111111111")

// auditLog writes a log of three calls, of which one has no outcome, and returns its
// path and its head.
func auditLog(t *testing.T, opts ...audit.Option) (path, head string) {
	t.Helper()
	path = filepath.Join(t.TempDir(), "audit.jsonl")
	at := time.Date(2026, 11, 23, 10, 0, 0, 0, time.UTC)
	opts = append([]audit.Option{audit.WithNow(func() time.Time { at = at.Add(time.Second); return at })}, opts...)
	l, err := audit.Open(path, opts...)
	require.NoError(t, err)
	intent := audit.Record{Kind: audit.KindIntent, Key: auditKey, Operation: "chat", Provider: "openai", Model: "gpt\x1b[2J",
		User: "u", TraceID: "4bf92f3577b34da6a3ce929d0e0e4736", SpanID: "00f067aa0ba902b7"}
	for _, o := range []audit.Outcome{audit.OutcomeAnswered, audit.OutcomeReplayed, ""} {
		h, err := l.Append(context.Background(), intent)
		require.NoError(t, err)
		end := intent
		end.Kind, end.Outcome, end.Intent = audit.KindOutcome, o, h.Sequence
		switch o {
		case audit.OutcomeAnswered:
			end.Source, end.Usage = "provider", audit.Usage{InputTokens: 12, OutputTokens: 30}
			end.Attempts = []audit.Attempt{{Class: "not_sent", ErrorType: "timeout"}, {Class: "done", Status: 200}}
		case audit.OutcomeReplayed:
			end.Source, end.Saved, end.OriginTraceID = "cache", audit.Usage{InputTokens: 12, OutputTokens: 30}, intent.TraceID
		default:
			continue
		}
		_, err = l.Append(context.Background(), end)
		require.NoError(t, err)
	}
	require.NoError(t, l.Close())
	return path, l.Head().String()
}

func TestAuditVerify(t *testing.T) {
	path, head := auditLog(t)
	whole := "whole: records 1 to 6, 2026-11-23T10:00:01Z to 2026-11-23T10:00:06Z\nhead: " + head + "\n"
	require.Equal(t, result{0, whole, ""}, llmidem("", "audit", "verify", path))
	require.Equal(t, result{0, whole, ""}, llmidem("", "audit", "verify", "--head", head, path))
	content, err := os.ReadFile(path)
	require.NoError(t, err)
	require.Equal(t, result{0, whole, ""}, llmidem(string(content), "audit", "verify", "-"))
	lines := strings.SplitAfter(string(content), "\n")

	cut := strings.Join(lines[:5], "")
	r := llmidem(cut, "audit", "verify", "-")
	require.Equal(t, 0, r.status)
	r = llmidem(cut, "audit", "verify", "--head", head, "-")
	require.Equal(t, 1, r.status)
	require.Empty(t, r.err)
	require.Regexp(t, `^broken: standard input: line 6, byte \d+: record 6: the log ends here, and the head names record 6: the end was cut off\n`+
		`whole before: records 1 to 5, 2026-11-23T10:00:01Z to 2026-11-23T10:00:05Z\nhead: 5:[0-9a-f]{64}\n$`, r.out)

	r = llmidem(strings.Replace(string(content), "cache", "cachf", 1), "audit", "verify", "-")
	require.Equal(t, 1, r.status)
	require.Regexp(t, `^broken: standard input: line 5, byte \d+: record 5: the record does not have its hash: it was changed\nwhole before: records 1 to 4,`, r.out)
	r = llmidem(cut[:len(cut)-1], "audit", "verify", "-")
	require.Equal(t, 1, r.status)
	require.Regexp(t, `^torn: standard input: line 5, byte \d+: record 5: the file ends \d+ bytes into the record\nwhole before: `, r.out)
	require.Equal(t, result{1, "torn: standard input: line 1, byte 0: record 1: there are no records\n", ""}, llmidem("", "audit", "verify", "-"))

	rest := strings.Join(lines[2:], "")
	r = llmidem(rest, "audit", "verify", "-")
	require.Equal(t, 1, r.status)
	require.Regexp(t, `record 1: the log begins with record 3, after 2:[0-9a-f]{64}: the files before it are missing\n$`, r.out)
	after := r.out[strings.Index(r.out, "after ")+len("after "):]
	after, _, _ = strings.Cut(after, ": ")
	require.Equal(t, 0, llmidem(rest, "audit", "verify", "--after", after, "-").status)
}

func TestAuditFind(t *testing.T) {
	path, _ := auditLog(t, audit.WithPlainUsers())
	const about = `operation=chat provider=openai model="gpt\x1b[2J" user=u trace=4bf92f3577b34da6a3ce929d0e0e4736 span=00f067aa0ba902b7`
	want := "2 2026-11-23T10:00:02Z intent " + about + "\n" +
		"3 2026-11-23T10:00:03Z answered " + about + " intent=2 attempts=not_sent:timeout,done:200 source=provider paid=12+30\n" +
		"4 2026-11-23T10:00:04Z intent " + about + "\n" +
		"5 2026-11-23T10:00:05Z replayed " + about + " origin=4bf92f3577b34da6a3ce929d0e0e4736 intent=4 source=cache saved=12+30\n" +
		"6 2026-11-23T10:00:06Z intent " + about + "\n"
	require.Equal(t, result{0, want, ""}, llmidem("", "audit", "find", auditKey.String(), path))
	content, err := os.ReadFile(path)
	require.NoError(t, err)
	require.Equal(t, result{0, want, ""}, llmidem(string(content), "audit", "find", auditKey.String(), "-"))
	_, own, _ := strings.Cut(string(content), "\n") // all but the record that it was opened
	require.Equal(t, result{0, own, ""}, llmidem("", "audit", "find", "--json", auditKey.String(), path))
	require.Equal(t, result{0, "no record of other\n", ""}, llmidem("", "audit", "find", "other", path))
	require.Equal(t, result{0, "", ""}, llmidem("", "audit", "find", "--json", "other", path))
	r := llmidem(strings.Replace(string(content), "cache", "cachf", 1), "audit", "find", auditKey.String(), "-")
	require.Equal(t, 1, r.status)
	require.Contains(t, r.out, "4 2026-11-23T10:00:04Z intent")
	require.Contains(t, r.out, "\nbroken: standard input: line 5, byte ")
}

func TestAuditStats(t *testing.T) {
	path, _ := auditLog(t)
	const want = `records               6   2026-11-23T10:00:01Z to 2026-11-23T10:00:06Z
calls                 2   answered 1, replayed 1, ambiguous 0, refused 0, failed 0
duplicates prevented  1   answers that were there already
in doubt              1   ambiguous 0, without an outcome 1
requests sent         2   attempts of all calls
tokens paid           42  input 12, output 30
tokens saved          42  input 12, output 30
opened                1   after an end half written 0
`
	require.Equal(t, result{0, want, ""}, llmidem("", "audit", "stats", path))
	require.Equal(t, result{0, `{"records":6,"intents":3,"outcomes":2,"opened":1,"recovered":0,"answered":1,"replayed":1,"ambiguous":0,"refused":0,` +
		`"failed":0,"other":0,"unsettled":1,"attempts":2,"paid":{"input_tokens":12,"output_tokens":30},"saved":{"input_tokens":12,"output_tokens":30},` +
		`"begin":"2026-11-23T10:00:01Z","end":"2026-11-23T10:00:06Z"}` + "\n", ""}, llmidem("", "audit", "stats", "--json", path))
	content, err := os.ReadFile(path)
	require.NoError(t, err)
	r := llmidem(strings.Replace(string(content), "cache", "cachf", 1), "audit", "stats", "-")
	require.Equal(t, 1, r.status)
	require.Contains(t, r.out, "\nbroken: standard input: line 5, byte ")
	require.Equal(t, 1, llmidem("{}\n", "audit", "stats", "-").status)
}

func TestAuditSecrets(t *testing.T) {
	text := strings.Repeat("s", 32)
	key, err := audit.NewSecret("k1", []byte(text))
	require.NoError(t, err)
	path, _ := auditLog(t, audit.WithHMAC(key))
	right, wrong := file(t, "right", text+"\n"), file(t, "wrong", strings.Repeat("w", 32))
	t.Setenv("LLMIDEM_TEST_AUDIT", text)
	require.Equal(t, 0, llmidem("", "audit", "verify", "--secret-file", "k1="+right, path).status)
	require.Equal(t, 0, llmidem("", "audit", "verify", "--secret-env", "k1=LLMIDEM_TEST_AUDIT", path).status)
	require.Equal(t, result{2, "", "llmidem: audit: the records have an HMAC: the secret k1 is needed to verify them: see --secret-file\n"},
		llmidem("", "audit", "verify", path))
	r := llmidem("", "audit", "verify", "--secret-file", "k1="+wrong, path)
	require.Equal(t, 1, r.status)
	require.Contains(t, r.out, "record 1: the record does not have its hash: it was changed, or the secret is not the one that it was made with")
	require.Contains(t, llmidem("", "audit", "verify", "--secret-file", "k2="+right, path).out, "names another secret")
	require.Equal(t, 0, llmidem("", "audit", "stats", path).status, "followed, and not compared")
	require.Equal(t, 1, llmidem("", "audit", "stats", "--secret-file", "k1="+wrong, path).status)
	require.Equal(t, 0, llmidem("", "audit", "find", "--secret-file", "k1="+right, auditKey.String(), path).status)
}

func TestAuditBadUsage(t *testing.T) {
	short := file(t, "short", "s")
	for args, want := range map[string]string{
		"verify":                                 "requires at least 1 arg(s), only received 0",
		"find x":                                 "requires at least 2 arg(s), only received 1",
		"frobnicate":                             `unknown command "frobnicate" for "llmidem audit"`,
		"verify --head 1:ab f":                   "--head is not of the form NUMBER:HASH, with 64 hexadecimal digits",
		"stats --after x f":                      "--after is not of the form NUMBER:HASH, with 64 hexadecimal digits",
		"verify --secret-file k1 f":              "--secret-file is not of the form ID=WHERE",
		"verify --secret-env =A f":               "--secret-env is not of the form ID=WHERE",
		"verify --secret-env k=NO_SUCH_THING f":  `--secret-env: there is no variable "NO_SUCH_THING"`,
		"verify --secret-file k=" + short + " f": "secret k has 1 bytes; use at least 32 random ones",
		"verify - f":                             "standard input goes alone: it is all of the log",
		"find a,b f":                             "comma",
		"verify no-such-file":                    "no such file or directory",
		"stats no-such-file":                     "no such file or directory",
		"find k no-such-file":                    "no such file or directory",
	} {
		r := llmidem("", append([]string{"audit"}, strings.Fields(args)...)...)
		require.Equal(t, 2, r.status, args)
		require.Empty(t, r.out)
		require.Contains(t, r.err, want, args)
		require.Equal(t, 1, strings.Count(r.err, "\n"))
	}
	for _, name := range []string{"verify", "find", "stats"} {
		r := llmidem("", "audit", name, "--help")
		require.Equal(t, 0, r.status)
		require.Contains(t, r.out, "Examples:\n  llmidem audit "+name)
		require.Contains(t, llmidem("", "audit").out, "\n  "+name)
	}
}

func TestAuditBrokenPipes(t *testing.T) {
	path, _ := auditLog(t)
	torn := file(t, "torn", "x")
	for _, args := range [][]string{{"verify", path}, {"verify", torn}, {"stats", path}, {"stats", "--json", path},
		{"find", auditKey.String(), path}, {"find", "--json", auditKey.String(), path}, {"find", "other", path}} {
		var err bytes.Buffer
		require.Equal(t, 2, run(append([]string{"audit"}, args...), strings.NewReader(""), broken{}, &err), args)
		require.Equal(t, "llmidem: standard output: the disk is full\n", err.String(), args)
		if args[len(args)-1] == path {
			args[len(args)-1] = "-"
			err.Reset()
			var out bytes.Buffer
			require.Equal(t, 2, run(append([]string{"audit"}, args...), broken{}, &out, &err), args)
			require.Contains(t, err.String(), "the pipe broke")
		}
	}
}
