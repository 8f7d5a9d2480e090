package redisstore_test

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"net"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/redis/rueidis"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/llmidem/llmidem-go/llmidem/store"
	"github.com/llmidem/llmidem-go/llmidem/store/redisstore"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// patience is how long a test waits for what must happen.
const patience = 30 * time.Second

// missing ends a test that cannot run without something: it fails where the
// continuous integration runs it, which has everything.
func missing(t testing.TB, what string) {
	t.Helper()
	if os.Getenv("CI") != "" {
		t.Fatal(what)
	}
	t.Skip(what)
}

// single is the address of a server that is there for tests.
func single(t testing.TB) string {
	t.Helper()
	addr := os.Getenv("LLMIDEM_TEST_REDIS")
	if addr == "" {
		missing(t, "LLMIDEM_TEST_REDIS is not set: redis-server --port 16379 --save '' & LLMIDEM_TEST_REDIS=127.0.0.1:16379 go test ./...")
	}
	return addr
}

// cluster is the URL of a cluster that is there for tests.
func cluster(t testing.TB) string {
	t.Helper()
	list := os.Getenv("LLMIDEM_TEST_REDIS_CLUSTER")
	if list == "" {
		missing(t, "LLMIDEM_TEST_REDIS_CLUSTER is not set: for p in 17001 17002 17003; do (mkdir -p /tmp/c$p; cd /tmp/c$p; redis-server --port $p --cluster-enabled yes --save '' --daemonize yes); done; "+
			"redis-cli --cluster create 127.0.0.1:1700{1,2,3} --cluster-yes; LLMIDEM_TEST_REDIS_CLUSTER=127.0.0.1:17001,127.0.0.1:17002,127.0.0.1:17003 go test ./...")
	}
	addrs := strings.Split(list, ",")
	url := "redis://" + addrs[0] + "?"
	for _, addr := range addrs[1:] {
		url += "addr=" + addr + "&"
	}
	return strings.TrimRight(url, "?&")
}

// freshPrefix is a prefix that nobody else has.
func freshPrefix() string {
	var b [8]byte
	rand.Read(b[:]) // never fails
	return "test:" + hex.EncodeToString(b[:]) + ":"
}

func open(t testing.TB, url string, opts ...redisstore.Option) *redisstore.Store {
	t.Helper()
	s, err := redisstore.Open(context.Background(), url, opts...)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, s.Close()) })
	return s
}

// raw is a client that does things to a server by hand.
func raw(t testing.TB, url string) rueidis.Client {
	t.Helper()
	o, err := rueidis.ParseURL(url)
	require.NoError(t, err)
	o.DisableCache, o.DisableRetry = true, true
	c, err := rueidis.NewClient(o)
	require.NoError(t, err)
	t.Cleanup(c.Close)
	return c
}

// command runs a command with one key, or none.
func command(t testing.TB, c rueidis.Client, name, key string, args ...string) rueidis.RedisResult {
	t.Helper()
	cmd := c.B().Arbitrary(name)
	if key != "" {
		cmd = cmd.Keys(key)
	}
	r := c.Do(context.Background(), cmd.Args(args...).Build())
	if err := r.Error(); err != nil && !rueidis.IsRedisNil(err) {
		t.Helper()
		require.NoError(t, err, name)
	}
	return r
}

// process is a server that a test may stop, pause and start again.
type process struct {
	t    testing.TB
	addr string
	args []string
	cmd  *exec.Cmd
}

// start starts a server of the test's own; {port} in the arguments is its port.
func start(t testing.TB, args ...string) *process {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	addr := l.Addr().String()
	_, port, err := net.SplitHostPort(addr)
	require.NoError(t, err)
	require.NoError(t, l.Close())
	if len(args) == 0 {
		args = []string{"--port", "{port}"}
	}
	args = append(args, "--save", "", "--bind", "127.0.0.1", "--dir", t.TempDir())
	for i := range args {
		args[i] = strings.ReplaceAll(args[i], "{port}", port)
	}
	p := &process{t: t, addr: addr, args: args}
	p.start()
	t.Cleanup(p.stop)
	return p
}

// serverBinary is a server to start.
func serverBinary(t testing.TB) string {
	t.Helper()
	for _, name := range []string{"redis-server", "valkey-server"} {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	missing(t, "there is neither redis-server nor valkey-server: apt-get install redis-server")
	return ""
}

func (p *process) start() {
	p.t.Helper()
	p.cmd = exec.Command(serverBinary(p.t), p.args...)
	require.NoError(p.t, p.cmd.Start())
	require.Eventually(p.t, func() bool {
		c, err := net.Dial("tcp", p.addr)
		if err == nil {
			_ = c.Close()
		}
		return err == nil
	}, patience, 10*time.Millisecond)
}

func (p *process) stop() {
	if p.cmd != nil {
		_ = p.cmd.Process.Kill()
		_ = p.cmd.Wait()
		p.cmd = nil
	}
}

func (p *process) signal(s syscall.Signal) {
	p.t.Helper()
	require.NoError(p.t, p.cmd.Process.Signal(s))
}

func (p *process) url() string { return "redis://" + p.addr }

const long = time.Hour

func newClaim(take store.Takeover) store.Claim {
	c := store.Claim{Owner: store.NewOwner(), Lease: long, Takeover: take, Origin: store.Origin{Flags: 1}}
	rand.Read(c.Fingerprint[:])
	rand.Read(c.Origin.TraceID[:])
	rand.Read(c.Origin.SpanID[:])
	return c
}

// newID is an id that nobody else has.
func newID() string { return fmt.Sprintf("%x", store.NewOwner()) }

// hold claims an absent id.
func hold(t testing.TB, s store.Store) (string, store.Claim) {
	t.Helper()
	id, c := newID(), newClaim(store.TakeAbsent)
	r, err := s.Claim(context.Background(), id, c)
	require.NoError(t, err)
	require.Equal(t, c.Owner, r.Owner)
	return id, c
}

// complete makes a record with that body.
func complete(t testing.TB, s store.Store, body string, ttl time.Duration) (string, store.Claim) {
	t.Helper()
	id, c := hold(t, s)
	require.NoError(t, s.Settle(context.Background(), id, c.Owner, store.Outcome{State: store.Completed, Body: []byte(body), TTL: ttl}))
	return id, c
}

func get(t testing.TB, s store.Store, id string) store.Record {
	t.Helper()
	r, err := s.Get(context.Background(), id)
	require.NoError(t, err)
	return r
}
