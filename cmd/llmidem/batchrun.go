package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"github.com/llmidem/llmidem-go/llmidem/batch"
)

// Errors that end batch with a status of their own; the summary was printed.
var (
	errDead = errors.New("some items are dead letters: their results say why, and --retry-failed sends them again")
	errLeft = errors.New("items are left: run the batch to its end, and collect again")
)

// closeTime is how long what is in flight may take to end after the second interrupt.
const closeTime = 500 * time.Millisecond

// run runs or collects a batch.
func (f *batchFlags) run(cmd *cobra.Command, how runner) error {
	collects := cmd.Name() == "collect"
	source, err := f.source(cmd)
	if err != nil {
		return err
	}
	sink, err := f.sink(cmd, collects)
	if err != nil {
		return err
	}
	target, err := f.target()
	if err != nil {
		return err
	}
	if isServer(f.state) && f.tenant == "" && os.Getenv("OPENAI_API_KEY") == "" {
		return errors.New("--tenant is missing: others share the state, and there is no OPENAI_API_KEY to say whose answers these are")
	}
	f.log = cmd.ErrOrStderr()
	state, err := openStore(cmd.Context(), f.state)
	if err != nil {
		return err
	}
	client, err := f.client(state.Store)
	if err != nil {
		return errors.Join(err, state.close(cmd.Context()))
	}
	st := newStops(cmd.Context())
	defer st.end()
	bar := newMeter(cmd.ErrOrStderr())
	opts := append(f.options(), batch.Until(st.gently), batch.Progress(bar.show))
	sum, runErr := how(st.now, client, source, sink, target, opts...)
	bar.end()
	patience, cancel := context.WithTimeout(context.Background(), closeTime)
	defer cancel()
	_ = client.Close(patience) // what it cuts off is in doubt, and sent again by the next start
	damaged := uint64(0)
	if state.damaged != nil {
		damaged = state.damaged()
	}
	err = errors.Join(runErr, state.close(patience))
	var bad *batch.InputError
	if sum.Items > 0 && !errors.As(runErr, &bad) {
		fmt.Fprintln(cmd.ErrOrStderr(), sum.String())
	}
	if damaged > 0 {
		fmt.Fprintf(cmd.ErrOrStderr(), "%d records of the state were damaged; their items were sent again\n", damaged)
	}
	switch {
	case err != nil:
		return stopped(err)
	case sum.Left > 0:
		return &statusError{statusStopped, errLeft}
	case sum.Failed > 0:
		return &statusError{statusDead, errDead}
	}
	return nil
}

// stopped gives an error of a batch its status.
func stopped(err error) error {
	var bad *batch.InputError
	if errors.As(err, &bad) || errors.Is(err, batch.ErrState) || errors.Is(err, os.ErrNotExist) {
		return err
	}
	return &statusError{statusStopped, err}
}

// statusError ends the program with a status of its own.
type statusError struct {
	status int
	error
}

func (e *statusError) Unwrap() error { return e.error }

// stops are the contexts that interrupts end: the first one gently, the second now.
type stops struct {
	gently, now context.Context
	end         func()
}

func newStops(ctx context.Context) stops {
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	gently, first := context.WithCancel(ctx)
	now, second := context.WithCancel(ctx)
	done := make(chan struct{})
	go func() {
		for _, cancel := range []context.CancelFunc{first, second} {
			select {
			case <-signals:
				cancel()
			case <-done:
				return
			}
		}
	}()
	return stops{gently: gently, now: now, end: func() {
		signal.Stop(signals)
		close(done)
		first()
		second()
	}}
}
