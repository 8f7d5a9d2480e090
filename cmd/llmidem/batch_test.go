package main

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	idem "github.com/llmidem/llmidem-go/llmidem"
	"github.com/llmidem/llmidem-go/llmidem/batch"
	"github.com/llmidem/llmidem-go/llmidem/llmtest"
)

// mainVariable makes the test binary the program.
const mainVariable = "LLMIDEM_TEST_MAIN"

func TestMain(m *testing.M) {
	if os.Getenv(mainVariable) != "" {
		main()
	}
	os.Exit(m.Run())
}

// requests are n items of a batch.
func requests(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, `{"custom_id":"item-%d","method":"POST","url":"/v1/chat/completions","body":{"model":"m","messages":[{"role":"user","content":"question %d"}]}}`+"\n", i, i)
	}
	return b.String()
}

// batchDesk has a server, and the flags of a batch that is sent there.
type batchDesk struct {
	srv     *llmtest.Server
	dir     string
	in, out string
	args    []string
}

func newBatchDesk(t *testing.T, input string) *batchDesk {
	t.Helper()
	t.Setenv("OPENAI_API_KEY", "sk-secret")
	d := &batchDesk{srv: llmtest.New(t), dir: t.TempDir()}
	d.in, d.out = filepath.Join(d.dir, "requests.jsonl"), filepath.Join(d.dir, "results.jsonl")
	require.NoError(t, os.WriteFile(d.in, []byte(input), 0o600))
	d.args = []string{"batch", "--base-url", d.srv.URL(), "--in", d.in, "--out", d.out, "--state", filepath.Join(d.dir, "state.db"), "--attempts", "2"}
	return d
}

func (d *batchDesk) run(more ...string) result { return llmidem("", append(d.args, more...)...) }

func (d *batchDesk) results(t *testing.T) []string {
	t.Helper()
	text, err := os.ReadFile(d.out)
	require.NoError(t, err)
	require.True(t, bytes.HasSuffix(text, []byte("\n")))
	return strings.Split(strings.TrimSuffix(string(text), "\n"), "\n")
}

func TestBatch(t *testing.T) {
	d := newBatchDesk(t, requests(20))
	r := d.run("-c", "4", "--ordered")
	require.Equal(t, 0, r.status, r.err)
	require.Empty(t, r.out)
	require.Contains(t, r.err, "20 items: 0 were done, 0 taken from the state, 20 sent, 0 dead letters, 0 left\n")
	lines := d.results(t)
	require.Len(t, lines, 20)
	for i, l := range lines {
		require.Contains(t, l, fmt.Sprintf(`"custom_id":"item-%d"`, i))
	}
	require.Equal(t, "Bearer sk-secret", d.srv.Ledger().Requests[0].Header.Get("Authorization"))
	r = d.run("--ordered")
	require.Equal(t, 0, r.status)
	require.Contains(t, r.err, "20 items: 20 were done, 0 taken from the state, 0 sent")
	require.Equal(t, 20, d.srv.Ledger().Executions())

	collected := append([]string{"batch", "collect"}, d.args[1:7]...)
	r = llmidem("", append(append(collected, "--out", "-", "--state"), d.args[8])...)
	require.Equal(t, 0, r.status, r.err)
	require.Len(t, strings.Split(strings.TrimSpace(r.out), "\n"), 20)
	require.Equal(t, 20, d.srv.Ledger().Executions())

	t.Setenv("OPENAI_API_KEY", "sk-another")
	r = d.run()
	require.Equal(t, 2, r.status)
	require.Contains(t, r.err, "the credentials, the tenant")
	require.NotContains(t, r.err, "sk-")
}

func TestBatchOfStandardInput(t *testing.T) {
	d := newBatchDesk(t, "")
	args := append(append([]string{}, d.args...), "--in", "-", "--out", "-", "--collapse", "--share", "--name", "n")
	r := llmidem(requests(3), args...)
	require.Equal(t, 0, r.status, r.err)
	require.Equal(t, 3, strings.Count(r.out, `"status_code":200`))
}

func TestBatchStatuses(t *testing.T) {
	d := newBatchDesk(t, requests(5))
	d.srv.Handle(func(q *llmtest.Request) llmtest.Fault {
		if strings.HasSuffix(q.Prompt, "3") {
			return llmtest.Status(400)
		}
		return llmtest.OK()
	})
	r := d.run()
	require.Equal(t, 3, r.status)
	require.Contains(t, r.err, "4 sent, 1 dead letter, 0 left")
	require.Contains(t, r.err, "--retry-failed sends them again")
	require.Equal(t, 3, d.run().status, "it is a dead letter still")
	d.srv.Handle(nil)
	require.Equal(t, 0, d.run("--retry-failed").status)
	require.Len(t, d.results(t), 5)

	require.NoError(t, os.WriteFile(d.in, []byte(requests(2)+"nonsense\n"+requests(1)), 0o600))
	r = d.run()
	require.Equal(t, 2, r.status)
	require.Contains(t, r.err, "the input's SHA-256", "that it is another one is said first")
	d.args[8] = filepath.Join(d.dir, "other.db")
	d.args[6] = filepath.Join(d.dir, "other.jsonl")
	r = d.run()
	require.Equal(t, 2, r.status)
	require.Equal(t, "llmidem: "+d.in+": 2 faults found; nothing was sent\n  line 3: it is not JSON (byte 2)\n"+
		"  line 4: custom_id is that of line 1; each is used once\n", r.err)

	t.Setenv("OPENAI_API_KEY", "")
	for args, says := range map[string]string{
		"batch --in x --state postgres://nowhere.invalid/x": "--tenant is missing: others share the state",
		"batch": "--in is missing", "batch --in x": "--out is missing", "batch --in x --out x --state s": "--out is the file of --in",
		"batch --in x --out y": "--state is missing", "batch --in x --out y --tenant t --state ftp://z": "no store is called ftp",
		"batch --in /no/such/file --out /no/such/out --state /no/such/state": "no such file or directory",
		"batch --in x --out y --header Authorization:x":                      "credentials come from the variable OPENAI_API_KEY alone",
		"batch --in x --out y --keys x --state " + d.dir + "/s":              "--keys \"x\": it is one of",
		"batch --in x --out y --attempts 0 --state " + d.dir + "/s":          "--attempts 0: it is at least 1",
		"batch x": `unknown command "x" for "llmidem batch"`,
	} {
		r := llmidem("", strings.Fields(args)...)
		require.Equal(t, 2, r.status, args)
		require.Contains(t, r.err, says)
		require.Equal(t, 1, strings.Count(r.err, "\n"), r.err)
	}
}

func TestBatchDryRun(t *testing.T) {
	d := newBatchDesk(t, requests(7))
	r := d.run("--dry-run")
	require.Equal(t, 0, r.status, r.err)
	require.Contains(t, r.out, "7 items, 0 of them equal to an earlier one; 7 keys\n")
	require.Contains(t, r.out, "attachments: 0, 0 bytes\n")
	require.Empty(t, d.srv.Ledger().Requests)
	entries, err := os.ReadDir(d.dir)
	require.NoError(t, err)
	require.Len(t, entries, 1, "nothing is written")
}

// TestBatchInterrupted: the first interrupt lets what is in flight finish, the second
// does not; both leave what the next start goes on from.
func TestBatchInterrupted(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("there are no signals to send; the contexts are tested in package batch")
	}
	for interrupts := 1; interrupts <= 2; interrupts++ {
		d := newBatchDesk(t, requests(40))
		arrived, hold := make(chan struct{}, 100), make(chan struct{})
		d.srv.Handle(func(*llmtest.Request) llmtest.Fault {
			arrived <- struct{}{}
			<-hold
			return llmtest.OK()
		})
		cmd := exec.Command(os.Args[0], append(d.args, "-c", "4")...)
		cmd.Env = append(os.Environ(), mainVariable+"=1")
		var stderr bytes.Buffer
		cmd.Stderr = &stderr
		require.NoError(t, cmd.Start())
		for range 4 {
			<-arrived
		}
		require.NoError(t, cmd.Process.Signal(syscall.SIGINT))
		if interrupts == 2 {
			time.Sleep(20 * time.Millisecond) // so that two are not taken for one; nothing depends on it but that
			require.NoError(t, cmd.Process.Signal(syscall.SIGINT))
		} else {
			awaitNoMore(t, arrived, hold)
		}
		err := cmd.Wait()
		var exit *exec.ExitError
		require.ErrorAs(t, err, &exit)
		require.Equal(t, 1, exit.ExitCode(), stderr.String())
		require.Contains(t, stderr.String(), "stopped before the end; start it again to go on")
		if interrupts == 1 {
			require.Contains(t, stderr.String(), "4 sent, 0 dead letters, 36 left")
		} else {
			require.Contains(t, stderr.String(), "0 sent, 0 dead letters, 40 left")
			close(hold)
		}
		d.srv.Handle(nil)
		require.Equal(t, 0, d.run().status)
		require.Len(t, d.results(t), 40)
	}
}

// awaitNoMore lets what is held go on, after the signal had time to arrive: until
// then whatever would be begun is held too.
func awaitNoMore(t *testing.T, arrived <-chan struct{}, hold chan struct{}) {
	t.Helper()
	time.Sleep(200 * time.Millisecond)
	require.Empty(t, arrived)
	close(hold)
}

func TestMeter(t *testing.T) {
	var b bytes.Buffer
	m := newMeter(&b)
	require.False(t, m.term)
	m.show(summaryOf(100, 40))
	require.Empty(t, b.String(), "not at once")
	m.told = m.told.Add(-time.Minute)
	m.show(summaryOf(100, 60))
	require.Regexp(t, `^60/100 items, [0-9.]+/s, \S+ left, 2 dead letters, 3 retries, tokens: 12 paid, 7 saved\n$`, b.String())
	m.term = true
	m.show(summaryOf(100, 80))
	m.end()
	require.Contains(t, b.String(), "after 40, 2 dead letters")
	require.Contains(t, b.String(), "40/60")
}

func summaryOf(items, written int) batch.Summary {
	return batch.Summary{Items: items, Sent: written - 2, Failed: 2, Left: items - written, Retries: 3,
		Paid: idem.Usage{InputTokens: 4, OutputTokens: 8}, Saved: idem.Usage{OutputTokens: 7}}
}

func TestBatchKeyHeader(t *testing.T) {
	for url, want := range map[string]string{
		"https://api.openai.com/v1":                                     "Authorization: Bearer k",
		"http://localhost:8000/v1":                                      "Authorization: Bearer k",
		"https://x.openai.azure.com/openai/deployments/d?api-version=1": "Api-Key: k",
		"https://api.anthropic.com/v1":                                  "X-Api-Key: k",
	} {
		name, value := keyHeader(url, "k")
		require.Equal(t, want, name+": "+value)
	}
}
