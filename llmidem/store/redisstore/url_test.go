package redisstore_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/llmidem/llmidem-go/llmidem/store"
	"github.com/llmidem/llmidem-go/llmidem/store/redisstore"
)

var released = store.Outcome{State: store.Absent}

// TestOpen_Refuses: the error says what is wrong, and contains nothing of a URL
// that may be a password.
func TestOpen_Refuses(t *testing.T) {
	for url, want := range map[string]string{
		"":                                     "begins with none of",
		"localhost:6379":                       "begins with none of",
		"http://hunter2@localhost":             "begins with none of",
		"hunter2@localhost:6379":               "does not parse",
		"redis://user:hun/ter2@localhost:6379": "does not parse",
		"redis://user:hunter2%zz@localhost":    "does not parse",
		"redis://user:hunter2\n@localhost":     "does not parse",
		"redis://user:hunter2@localhost/a":     "does not parse",
		"redis://user:1/hunter2@localhost/0":   "does not parse",
		"redis://localhost?db=hunter2":         "does not parse",
		"redis://localhost?hunter2=1":          "a parameter of the URL is none of addr",
		"redis://localhost?dial_timeout=1":     "does not parse",
		"rediss://localhost?skip_verify=maybe": "does not parse",
		"redis://user:hunter2@127.0.0.1:1":     "refused",
	} {
		s, err := redisstore.Open(context.Background(), url)
		require.Nil(t, s)
		require.ErrorContains(t, err, want, url)
		require.True(t, strings.HasPrefix(err.Error(), "redisstore: "), err)
		require.NotContains(t, err.Error(), "hunter2")
		require.NotContains(t, err.Error(), "ter2")
	}
}

func TestOptions_Refuse(t *testing.T) {
	for want, o := range map[string]redisstore.Option{
		"WithPrefix is empty":          redisstore.WithPrefix(""),
		"WithMaxEntry(0)":              redisstore.WithMaxEntry(0),
		"WithMaxEntry(-1)":             redisstore.WithMaxEntry(-1),
		"WithMaxEntry(1073741824)":     redisstore.WithMaxEntry(1 << 30),
		"WithLogger(nil)":              redisstore.WithLogger(nil),
		"WithTLS(nil)":                 redisstore.WithTLS(nil),
		"begin it with rediss://":      redisstore.WithTLS(&tls.Config{}),
		"redisstore: an option is nil": nil,
	} {
		_, err := redisstore.Open(context.Background(), "redis://127.0.0.1:1", o)
		require.ErrorContains(t, err, want)
	}
	_, err := redisstore.New(context.Background(), nil)
	require.ErrorContains(t, err, "without a client")
	c := raw(t, "redis://"+single(t))
	_, err = redisstore.New(context.Background(), c, redisstore.WithTLS(&tls.Config{}))
	require.ErrorContains(t, err, "WithTLS is for Open")
}

// TestOpen_Databases: the database of a URL is the one that is used.
func TestOpen_Databases(t *testing.T) {
	url, ctx := "redis://"+single(t), context.Background()
	prefix := redisstore.WithPrefix(freshPrefix())
	zero, one, same := open(t, url, prefix), open(t, url+"/1", prefix), open(t, url+"?db=1", prefix)
	id, c := hold(t, one)
	require.Equal(t, store.Absent, get(t, zero, id).State)
	require.Equal(t, store.InFlight, get(t, same, id).State)
	require.NoError(t, one.Settle(ctx, id, c.Owner, released))
}

// certificate makes an authority and a certificate of it for 127.0.0.1 in files.
func certificate(t *testing.T) (dir string, roots *x509.CertPool) {
	t.Helper()
	dir, roots = t.TempDir(), x509.NewCertPool()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "test"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: true, BasicConstraintsValid: true,
		KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	require.NoError(t, err)
	cert, err := x509.ParseCertificate(der)
	require.NoError(t, err)
	roots.AddCert(cert)
	private, err := x509.MarshalPKCS8PrivateKey(key)
	require.NoError(t, err)
	for name, block := range map[string]*pem.Block{"cert": {Type: "CERTIFICATE", Bytes: der}, "key": {Type: "PRIVATE KEY", Bytes: private}} {
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), pem.EncodeToMemory(block), 0o600))
	}
	return dir, roots
}

func TestOpen_TLS(t *testing.T) {
	dir, roots := certificate(t)
	server := start(t, "--port", "0", "--tls-port", "{port}", "--tls-cert-file", dir+"/cert", "--tls-key-file", dir+"/key",
		"--tls-ca-cert-file", dir+"/cert", "--tls-auth-clients", "no")
	url := "rediss://" + server.addr
	_, err := redisstore.Open(context.Background(), url)
	require.ErrorContains(t, err, "certificate", "nobody vouches for it")
	_, err = redisstore.Open(context.Background(), server.url())
	require.Error(t, err, "not by plain text")
	_, err = redisstore.Open(context.Background(), url, redisstore.WithTLS(&tls.Config{RootCAs: roots, ServerName: "another.example"}))
	require.ErrorContains(t, err, "certificate")

	for _, s := range []*redisstore.Store{
		open(t, url, redisstore.WithTLS(&tls.Config{RootCAs: roots})),
		open(t, url+"?skip_verify=true"),
		open(t, strings.Replace(url, "rediss", "valkeys", 1)+"?skip_verify=1", redisstore.WithTLS(&tls.Config{})),
	} {
		id, c := hold(t, s)
		notice, _ := watchID(t, s, id)
		require.NoError(t, s.Settle(context.Background(), id, c.Owner, released))
		noticed(t, notice)
	}
}

// TestOpen_Sentinel: the URL names a Sentinel, the store finds its master, and the
// next one when that fails.
func TestOpen_Sentinel(t *testing.T) {
	master := start(t)
	_, port, err := net.SplitHostPort(master.addr)
	require.NoError(t, err)
	replica := start(t, "--port", "{port}", "--replicaof", "127.0.0.1 "+port)
	conf := filepath.Join(t.TempDir(), "sentinel.conf")
	require.NoError(t, os.WriteFile(conf, fmt.Appendf(nil, "sentinel monitor main 127.0.0.1 %s 1\nsentinel down-after-milliseconds main 500\nsentinel failover-timeout main 2000\n", port), 0o600))
	sentinel := start(t, conf, "--sentinel", "--port", "{port}")
	url := "redis://" + sentinel.addr + "?master_set=main&db=0"
	s := open(t, url)
	id, _ := complete(t, s, "answer", 0)
	require.Equal(t, "answer", string(get(t, s, id).Body))

	watcher, guard := raw(t, replica.url()), raw(t, "redis://"+sentinel.addr)
	require.Eventually(t, func() bool { // that the replica has it, and that the Sentinel knows the replica
		have, err := watcher.Do(context.Background(), watcher.B().Arbitrary("EXISTS", "llmidem:"+id).Build()).ToInt64()
		known, _ := guard.Do(context.Background(), guard.B().Arbitrary("SENTINEL", "REPLICAS", "main").Build()).ToArray()
		return err == nil && have == 1 && len(known) == 1
	}, patience, 50*time.Millisecond)
	master.stop()
	require.Eventually(t, func() bool {
		r, err := s.Claim(context.Background(), newID(), newClaim(store.TakeAbsent))
		return err == nil && r.State == store.InFlight
	}, patience, 100*time.Millisecond)
	require.Equal(t, "answer", string(get(t, s, id).Body))
}
