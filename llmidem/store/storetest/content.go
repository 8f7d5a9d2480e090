package storetest

import (
	"bytes"
	"crypto/rand"
	"strings"

	"github.com/llmidem/llmidem-go/llmidem/store"
)

func contentCases() []testCase {
	return []testCase{
		{"P5_BodiesIntact", bodiesIntact},
		{"P8_BodiesIndependent", bodiesIndependent},
		{"IDsAreComparedAsTheyAre", ids},
		{"P3_NoBodyBeforeCompletion", noBodyBefore},
	}
}

// bodiesIntact: also the empty one, which is a legal answer, and what is no text.
func bodiesIntact(e *env) {
	big := make([]byte, 1<<20)
	rand.Read(big)
	compressible := bytes.Repeat([]byte(`{"a":"aaaaaaaaaaaaaaaaaaaaaaaa"}`), 1<<14)
	for name, body := range map[string][]byte{
		"nil": nil, "empty": {}, "a byte": {'x'}, "NUL": {0}, "no UTF-8": {0xff, 0xfe, 0x00, 0x80},
		"quotes": []byte(`\"'$1%s` + "\r\n"), "1 MiB": big, "512 KiB of the same": compressible,
	} {
		id, c := e.held(long)
		given := bytes.Clone(body)
		e.settle(id, c.Owner, store.Outcome{State: store.Completed, Body: given})
		e.True(bytes.Equal(body, given), "%s: the store changed the body it was given", name)
		for range 2 {
			r := e.get(id)
			e.Equal(store.Completed, r.State, name)
			e.True(bytes.Equal(body, r.Body), "%s: it came back as another", name)
			r = e.lose(id, newClaim(long, store.TakeAbsent), store.Completed)
			e.True(bytes.Equal(body, r.Body), "%s: it came back as another from Claim", name)
		}
	}
}

// bodiesIndependent: what a reader appends to a body is seen by nobody else.
func bodiesIndependent(e *env) {
	room := append(make([]byte, 0, 64), "answer"...)
	id, c := e.held(long)
	other, _ := e.completed("another", long)
	e.settle(id, c.Owner, store.Outcome{State: store.Completed, Body: room})
	_ = append(e.get(id).Body, " of the first reader"...)
	second := append(e.get(id).Body, " of the second"...)
	_ = append(e.get(id).Body, " of the third one"...)
	e.Equal("answer of the second", string(second))
	e.Equal("answer", string(e.get(id).Body))
	e.Equal("another", string(e.get(other).Body))
}

// ids that are similar are not equal.
func ids(e *env) {
	base := newID()[:16]
	similar := []string{
		base + "a", base + "A", base + "a ", " " + base + "a", base + "a/", base + "a:1", base + "ab", base,
		base + "\u00e9", base + "e\u0301", base + "%", base + "_", base + "*", base + "{a}", base + strings.Repeat("a", 200),
	}
	for _, id := range similar {
		c := newClaim(long, store.TakeAbsent)
		e.Equal(store.Absent, e.win(id, c).Prior, "%q is taken for another", id)
		e.settle(id, c.Owner, store.Outcome{State: store.Completed, Body: []byte(id)})
	}
	for _, id := range similar {
		e.Equal(id, string(e.get(id).Body))
	}
}

func noBodyBefore(e *env) {
	id, c := e.held(long)
	e.Empty(e.lose(id, newClaim(long, store.TakeSettled), store.InFlight).Body)
	e.settle(id, c.Owner, store.Outcome{State: store.Unknown, Body: []byte("half an ans")})
	e.Empty(e.get(id).Body, "what came before it was cut is no answer")
	e.Empty(e.lose(id, newClaim(long, store.TakeAbsent), store.Unknown).Body)
}
