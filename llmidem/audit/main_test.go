package audit_test

import (
	"bufio"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/llmidem/llmidem-go/llmidem/audit"
	"github.com/llmidem/llmidem-go/llmidem/identity"
)

// Variables that make the test binary another process that has a log.
const (
	childVariable = "AUDIT_TEST_CHILD"
	pathVariable  = "AUDIT_TEST_PATH"
)

func TestMain(m *testing.M) {
	path := os.Getenv(pathVariable)
	switch os.Getenv(childVariable) {
	case "":
		goleak.VerifyTestMain(m)
	case "hold":
		fail(holdFile(path))
	case "work":
		fail(work(path))
	case "full":
		fail(fillUp(path))
	case "full at rotation":
		fail(fullAtRotation(path))
	}
}

func fail(err error) {
	if err != nil {
		fmt.Println("failed:", err)
		os.Exit(1)
	}
}

// child is another process with a log.
type child struct {
	*exec.Cmd
	lines *bufio.Reader
	stdin io.Closer
}

func start(t *testing.T, kind, path string) child {
	t.Helper()
	self, err := os.Executable()
	require.NoError(t, err)
	cmd := exec.Command(self)
	cmd.Env = append(os.Environ(), childVariable+"="+kind, pathVariable+"="+path)
	out, err := cmd.StdoutPipe()
	require.NoError(t, err)
	in, err := cmd.StdinPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	t.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
	return child{cmd, bufio.NewReader(out), in}
}

func (c child) line(t *testing.T) string {
	t.Helper()
	line, err := c.lines.ReadString('\n')
	require.NoError(t, err)
	return strings.TrimSpace(line)
}

// logPath is where a test has its log.
func logPath(t testing.TB) string { return filepath.Join(t.TempDir(), "audit.jsonl") }

func open(t testing.TB, path string, opts ...audit.Option) *audit.Log {
	t.Helper()
	l, err := audit.Open(path, opts...)
	require.NoError(t, err)
	t.Cleanup(func() { _ = l.Close() })
	return l
}

// clock is a clock that a test sets, and that goes on by a second a look.
type clock struct{ at time.Time }

func (c *clock) now() time.Time {
	c.at = c.at.Add(time.Second)
	return c.at
}

func newClock() *clock { return &clock{time.Date(2026, 11, 23, 10, 0, 0, 123456789, time.UTC)} }

func secret(t testing.TB, id string) audit.Secret {
	s, err := audit.NewSecret(id, []byte(strings.Repeat(id+"!", 32)))
	require.NoError(t, err)
	return s
}

func keyOf(t testing.TB, n int) identity.Key {
	d, err := identity.Payload(fmt.Appendf(nil, "%d", n))
	require.NoError(t, err)
	k, err := identity.SHA256("").Key(d)
	if err != nil {
		k, err = identity.SHA256("idem_").Key(d)
	}
	require.NoError(t, err)
	return k
}

const (
	trace = "4bf92f3577b34da6a3ce929d0e0e4736"
	span  = "00f067aa0ba902b7"
)

// call appends the two records of a call.
func call(t testing.TB, l *audit.Log, n int, o audit.Outcome) audit.Head {
	t.Helper()
	intent, outcome := callRecords(t, n, o)
	at, err := l.Append(context.Background(), intent)
	require.NoError(t, err)
	outcome.Intent = at.Sequence
	at, err = l.Append(context.Background(), outcome)
	require.NoError(t, err)
	return at
}

func callRecords(t testing.TB, n int, o audit.Outcome) (intent, outcome audit.Record) {
	intent = audit.Record{Kind: audit.KindIntent, Key: keyOf(t, n), Scheme: "sha256", Document: 1, Operation: "chat",
		Provider: "openai", Model: "gpt-4o-mini", User: "u-42", TraceID: trace, SpanID: span}
	outcome = intent
	outcome.Kind, outcome.Outcome = audit.KindOutcome, o
	switch o {
	case audit.OutcomeAnswered:
		outcome.Attempts = []audit.Attempt{{Class: "refused", Status: 429, ErrorType: "429"}, {Class: "done", Status: 200}}
		outcome.Source, outcome.Usage = "provider", audit.Usage{InputTokens: 12, OutputTokens: 34}
	case audit.OutcomeReplayed:
		outcome.Source, outcome.Saved, outcome.OriginTraceID = "cache", audit.Usage{InputTokens: 12, OutputTokens: 34}, trace
	default:
		outcome.Attempts = []audit.Attempt{{Class: "ambiguous", ErrorType: "connection_error"}}
		outcome.ErrorType = "connection_error"
	}
	return intent, outcome
}

// sample is the content of a log of a few records.
func sample(t testing.TB, opts ...audit.Option) ([]byte, audit.Head) {
	path := logPath(t)
	l := open(t, path, append([]audit.Option{audit.WithNow(newClock().now)}, opts...)...)
	call(t, l, 1, audit.OutcomeAnswered)
	call(t, l, 1, audit.OutcomeReplayed)
	call(t, l, 2, audit.OutcomeAmbiguous)
	require.NoError(t, l.Close())
	content, err := os.ReadFile(path)
	require.NoError(t, err)
	return content, l.Head()
}

func linesOf(content []byte) [][]byte { return slices.Collect(bytes.Lines(content)) }

// verify is [audit.Verify] of what is in memory.
func verify(content []byte, c audit.Check) (audit.Report, error) {
	return audit.Verify(context.Background(), bytes.NewReader(content), c)
}

func verifyLog(t testing.TB, path string, c audit.Check) (audit.Report, error) {
	t.Helper()
	files, err := audit.Files(path)
	require.NoError(t, err)
	return audit.VerifyFiles(context.Background(), files, c)
}

// holdFile has the log open until its input ends.
func holdFile(path string) error {
	l, err := audit.Open(path)
	if err != nil {
		return err
	}
	fmt.Println("open")
	_, _ = io.Copy(io.Discard, os.Stdin)
	return l.Close()
}

// decode reads records that begin anywhere.
func decode(t testing.TB, lines []byte) (list []audit.Record) {
	t.Helper()
	for line := range bytes.Lines(lines) {
		var r audit.Record
		require.NoError(t, json.Unmarshal(line, &r))
		list = append(list, r)
	}
	return list
}

func sha256sum(b []byte) [32]byte { return sha256.Sum256(b) }

// memoryPath is a path for what is synced thousands of times and need not be: in
// memory, where the system has such a place.
func memoryPath(t testing.TB) string {
	dir, err := os.MkdirTemp("/dev/shm", "audit-test-")
	if err != nil {
		return logPath(t)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	return filepath.Join(dir, "audit.jsonl")
}
