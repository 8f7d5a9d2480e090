package store_test

import (
	"bytes"
	"context"
	"fmt"
	"log"
	"time"

	"github.com/llmidem/llmidem-go/llmidem/store"
)

// The store below, which others may read, has nothing of the answer. A process
// without the key knows only that there was a call.
func ExampleSealed() {
	shared, err := store.NewMemory(store.MemoryConfig{}) // in earnest a store on a server
	if err != nil {
		log.Fatal(err)
	}
	secret := bytes.Repeat([]byte("s"), 32) // in earnest 32 random bytes from a secret manager
	key, err := store.NewSealKey("2026-01", secret)
	if err != nil {
		log.Fatal(err)
	}
	sealed, err := store.Sealed(shared, key)
	if err != nil {
		log.Fatal(err)
	}

	ctx := context.Background()
	c := store.Claim{Owner: store.NewOwner(), Lease: time.Minute}
	if _, err := sealed.Claim(ctx, "some call", c); err != nil {
		log.Fatal(err)
	}
	answer := store.Outcome{State: store.Completed, Body: []byte("the answer"), TTL: time.Hour}
	if err := sealed.Settle(ctx, "some call", c.Owner, answer); err != nil {
		log.Fatal(err)
	}

	rec, err := sealed.Get(ctx, "some call")
	fmt.Printf("with the key: %v, %s, %v\n", rec.State, rec.Body, err)
	below, err := shared.Get(ctx, "some call")
	fmt.Printf("below: %d bytes, the answer among them: %v, %v\n",
		len(below.Body), bytes.Contains(below.Body, answer.Body), err)

	another, _ := store.NewSealKey("2027-01", bytes.Repeat([]byte("t"), 32))
	stranger, _ := store.Sealed(shared, another)
	rec, err = stranger.Get(ctx, "some call")
	fmt.Printf("with another key: %v, %d bytes, %v\n", rec.State, len(rec.Body), err)

	// Output:
	// with the key: completed, the answer, <nil>
	// below: 83 bytes, the answer among them: false, <nil>
	// with another key: unknown, 0 bytes, <nil>
}
