package boltstore_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/llmidem/llmidem-go/llmidem/store"
	"github.com/llmidem/llmidem-go/llmidem/store/boltstore"
)

// Variables that make the test binary another process that has a store.
const (
	childVariable = "BOLTSTORE_TEST_CHILD"
	pathVariable  = "BOLTSTORE_TEST_PATH"
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
	}
}

func fail(err error) {
	if err != nil {
		fmt.Println("failed:", err)
		os.Exit(1)
	}
}

// child is another process with a store.
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

// holdFile has the file open until its input ends.
func holdFile(path string) error {
	s, err := boltstore.Open(path)
	if err != nil {
		return err
	}
	fmt.Println("open")
	_, _ = io.Copy(io.Discard, os.Stdin)
	return s.Close()
}

// bodyOf is the answer that belongs to an id: of many lengths.
func bodyOf(id string) string { return strings.Repeat(id, 1+int(id[0])*int(id[1])%64) }

// work claims and settles without end, and says what it has done once it is done.
func work(path string) error {
	s, err := boltstore.Open(path, boltstore.WithSweep(time.Millisecond))
	if err != nil {
		return err
	}
	fmt.Println("open")
	var all sync.WaitGroup
	for range 16 {
		all.Go(func() {
			for err := error(nil); err == nil; {
				err = workOnce(s)
			}
		})
	}
	all.Wait()
	return errors.New("it does not end by itself")
}

func workOnce(s store.Store) error {
	ctx := context.Background()
	id, c := randomID(), store.Claim{Owner: store.NewOwner(), Lease: time.Minute}
	if _, err := s.Claim(ctx, id, c); err != nil {
		return err
	}
	fmt.Println("claimed", id)
	o := store.Outcome{State: store.Completed, Body: []byte(bodyOf(id)), TTL: time.Hour}
	switch id[0] {
	case '0':
		o = store.Outcome{State: store.Absent}
	case '1':
		o.TTL = time.Millisecond
	}
	if err := s.Settle(ctx, id, c.Owner, o); err != nil {
		return err
	}
	fmt.Println("settled", id)
	return nil
}
