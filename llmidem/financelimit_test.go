package llmidem_test

import (
	"context"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/require"

	"github.com/llmidem/llmidem-go/llmidem"
	"github.com/llmidem/llmidem-go/llmidem/audit"
	"github.com/llmidem/llmidem-go/llmidem/llmtest"
)

// held lets the first request wait in the server until the function is called.
func held(b *bench, fault llmtest.Fault) (arrived <-chan struct{}, release func()) {
	came, gate := make(chan struct{}, 100), make(chan struct{})
	b.srv.Handle(func(*llmtest.Request) llmtest.Fault {
		came <- struct{}{}
		<-gate
		return fault
	})
	return came, func() { close(gate) }
}

// No call goes out without a record because there are many.
func TestForFinance_TooManyInFlight(t *testing.T) {
	b := finance(t, newLog(t), llmidem.Config{MaxFlights: 1})
	arrived, release := held(b, llmtest.OK())
	first := make(chan error, 1)
	go func() {
		_, err := b.ask(t.Context(), "first", llmidem.User("u"))
		first <- err
	}()
	<-arrived
	_, err := b.ask(t.Context(), "second", llmidem.User("u"))
	require.Equal(t, llmidem.CodeUnavailable, llmidem.CodeOf(err))
	require.ErrorContains(t, err, "MaxFlights")
	release()
	require.NoError(t, <-first)
	require.Equal(t, 1, b.srv.Ledger().Executions())
}

// An answer that is too large to be kept is its one caller's: whoever waited for it
// does not make the call again.
func TestForFinance_TooLargeToShare(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := finance(t, newLog(t), llmidem.Config{MaxEntry: 64})
		arrived, release := held(b, llmtest.OK())
		ended := make(chan error, 2)
		ask := func() {
			_, err := b.ask(t.Context(), "large", llmidem.User("u"))
			ended <- err
		}
		go ask()
		<-arrived
		go ask()
		synctest.Wait()
		release()
		x, y := <-ended, <-ended
		require.True(t, (x == nil) != (y == nil), "%v %v", x, y)
		require.Equal(t, 1, b.srv.Ledger().Executions())
	})
}

// A call that fails after its caller has left has its line all the same.
func TestWithAudit_FailsBehindItsCaller(t *testing.T) {
	log := newLog(t)
	b := newBench(t, llmidem.WithAudit(log), llmidem.Config{OnAmbiguous: llmidem.Fail})
	arrived, release := held(b, llmtest.DropAfter())
	ctx, cancel := context.WithCancel(t.Context())
	left := make(chan error, 1)
	go func() {
		_, err := b.ask(ctx, "leaves")
		left <- err
	}()
	<-arrived
	cancel()
	require.Equal(t, llmidem.CodeInProgress, llmidem.CodeOf(<-left))
	release()
	require.NoError(t, b.client.Close(t.Context()))
	all := lines(t, log)
	require.Len(t, all, 2)
	require.Equal(t, audit.OutcomeAmbiguous, all[1].Outcome)
}
