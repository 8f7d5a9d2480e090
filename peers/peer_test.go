package peers

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

const install = "(cd peers/node && npm ci && npm ci --prefix llama)"

// A peer is a server of somebody else, in a process of its own.
type peer struct {
	url    string
	cmd    *exec.Cmd
	stdin  io.Closer
	stderr *bytes.Buffer // to be read when the process has ended
	ended  chan struct{}
	killed bool
	direct *http.Transport // past llmidem
}

// start runs one of the servers in node and waits until it listens. It ends with the
// test at the latest.
func start(t *testing.T, script string, args ...string) *peer {
	t.Helper()
	p := &peer{stderr: new(bytes.Buffer), ended: make(chan struct{}), direct: wire(t)}
	p.cmd = exec.Command(node(t, script), append([]string{filepath.Join("node", filepath.FromSlash(script))}, args...)...)
	p.cmd.Stderr = p.stderr
	p.cmd.Env = slices.DeleteFunc(os.Environ(), func(v string) bool { // what would change how they answer
		return strings.HasPrefix(v, "NODE_") || strings.HasPrefix(v, "AIMOCK_")
	})
	var err error
	p.stdin, err = p.cmd.StdinPipe()
	require.NoError(t, err)
	stdout, err := p.cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, p.cmd.Start())
	listening := make(chan string, 1)
	go func() {
		defer close(p.ended)
		lines := bufio.NewScanner(stdout)
		for lines.Scan() {
			if u, ok := strings.CutPrefix(lines.Text(), "listening on "); ok {
				listening <- u
			}
		}
		_ = p.cmd.Wait() // what it says is in ProcessState
	}()
	t.Cleanup(func() { p.stop(t) })
	select {
	case p.url = <-listening:
	case <-p.ended:
		t.Fatalf("%s ended before it listened (%s):\n%s", script, p.cmd.ProcessState, p.stderr)
	case <-time.After(time.Minute):
		t.Fatalf("%s does not listen after a minute", script)
	}
	return p
}

// node is the program that runs a script whose packages are installed.
func node(t *testing.T, script string) string {
	t.Helper()
	program, err := exec.LookPath("node")
	if err != nil {
		missing(t, "node is not installed; it takes 20.15 or newer, and "+install)
	}
	if version := nodeVersion(program); !recent(version) {
		missing(t, "node is "+version+"; it takes 20.15 or newer")
	}
	for _, dir := range []string{"node", filepath.Join("node", filepath.Dir(filepath.FromSlash(script)))} {
		_, err := os.ReadDir(dir) // tells the cache of test results when a script has changed
		require.NoError(t, err)
		packages := filepath.Join(dir, "node_modules")
		if _, err := os.Stat(packages); err != nil {
			missing(t, packages+" is not there; "+install)
		}
	}
	return program
}

func nodeVersion(program string) string {
	out, err := exec.Command(program, "--version").Output()
	if err != nil {
		return err.Error()
	}
	return strings.TrimSpace(string(out))
}

// recent reports whether a version, as in v20.15.0, is at least that.
func recent(version string) bool {
	var major, minor int
	_, err := fmt.Sscanf(version, "v%d.%d.", &major, &minor)
	return err == nil && (major > 20 || major == 20 && minor >= 15)
}

// missing skips a test for which something is not installed, but not in CI.
func missing(t *testing.T, what string) {
	t.Helper()
	if os.Getenv("CI") != "" {
		t.Fatal(what)
	}
	t.Skip(what)
}

// stop ends the process as a test that dies would: nobody holds its standard input.
func (p *peer) stop(t *testing.T) {
	_ = p.stdin.Close()
	select {
	case <-p.ended:
		require.True(t, p.killed || p.cmd.ProcessState.Success(), "%s\n%s", p.cmd.ProcessState, p.stderr)
	case <-time.After(10 * time.Second):
		p.kill(t)
		t.Error("the server did not end with its standard input")
	}
}

// kill ends the process in the middle of whatever it does.
func (p *peer) kill(t *testing.T) {
	p.killed = true
	require.NoError(t, p.cmd.Process.Kill())
	<-p.ended
}

// get reads JSON from a path of the peer's own, past llmidem.
func (p *peer) get(t *testing.T, path string, into any) {
	t.Helper()
	require.NoError(t, json.Unmarshal([]byte(p.ask(t, http.MethodGet, path, nil)), into))
}

// ask sends JSON, past llmidem, and returns the answer, which must be good.
func (p *peer) ask(t *testing.T, method, path string, body any) string {
	t.Helper()
	encoded, err := json.Marshal(body)
	require.NoError(t, err)
	req, err := http.NewRequestWithContext(t.Context(), method, p.url+path, bytes.NewReader(encoded))
	require.NoError(t, err)
	res, err := p.direct.RoundTrip(req)
	require.NoError(t, err)
	defer res.Body.Close()
	answer, err := io.ReadAll(res.Body)
	require.NoError(t, err)
	require.Equal(t, http.StatusOK, res.StatusCode, "%s", answer)
	return string(answer)
}

// wire is a transport whose connections end with the test.
func wire(t *testing.T) *http.Transport {
	tr := &http.Transport{}
	t.Cleanup(tr.CloseIdleConnections)
	return tr
}

// Servers end with those who started them, whichever way they go.
func TestPeersEnd(t *testing.T) {
	for _, script := range []string{aimockScript, llamaScript} {
		t.Run(script, func(t *testing.T) {
			if script == llamaScript {
				model(t)
			}
			p := start(t, script)
			p.stop(t) // by its standard input
			if runtime.GOOS == "windows" {
				return // has no signals
			}
			p = start(t, script)
			require.NoError(t, p.cmd.Process.Signal(syscall.SIGTERM))
			<-p.ended
			require.True(t, p.cmd.ProcessState.Success(), "%s\n%s", p.cmd.ProcessState, p.stderr)
		})
	}
}
