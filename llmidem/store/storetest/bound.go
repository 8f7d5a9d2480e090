package storetest

import (
	"bytes"

	"github.com/llmidem/llmidem-go/llmidem/store"
)

func boundCases() []testCase {
	return []testCase{{"P10_TooLarge", tooLarge}}
}

// tooLarge: an answer that is refused leaves no claim behind that others would
// wait for.
func tooLarge(e *env) {
	if e.suite.limit == 0 {
		return
	}
	fits, c := e.held(long)
	e.settle(fits, c.Owner, store.Outcome{State: store.Completed, Body: bytes.Repeat([]byte("a"), e.suite.limit)})
	e.Len(e.get(fits).Body, e.suite.limit)

	id, c := e.held(long)
	body := bytes.Repeat([]byte("a"), e.suite.limit+1)
	err := e.store.Settle(e.ctx, id, c.Owner, store.Outcome{State: store.Completed, Body: body})
	e.ErrorIs(err, store.ErrTooLarge)
	e.Equal(store.Record{}, e.get(id), "the claim is released")
	e.shut(id, c.Owner)

	stranger := store.NewOwner()
	held, _ := e.held(long)
	err = e.store.Settle(e.ctx, held, stranger, store.Outcome{State: store.Completed, Body: body})
	e.ErrorIs(err, store.ErrLost, "whose claim it is comes before what is in it")
	e.Equal(store.InFlight, e.get(held).State)
}
