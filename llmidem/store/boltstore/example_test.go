package boltstore_test

import (
	"context"
	"fmt"
	"log"
	"os"
	"path/filepath"
	"time"

	"github.com/llmidem/llmidem-go/llmidem/store"
	"github.com/llmidem/llmidem-go/llmidem/store/boltstore"
)

// An answer is there after the process has ended; a call that was under way then
// is in doubt.
func ExampleOpen() {
	dir, err := os.MkdirTemp("", "boltstore")
	if err != nil {
		log.Fatal(err)
	}
	defer func() { _ = os.RemoveAll(dir) }()
	path := filepath.Join(dir, "records.db")

	ctx := context.Background()
	s, err := boltstore.Open(path)
	if err != nil {
		log.Fatal(err)
	}
	for _, id := range []string{"answered", "under way"} {
		c := store.Claim{Owner: store.NewOwner(), Lease: time.Minute}
		if _, err := s.Claim(ctx, id, c); err != nil {
			log.Fatal(err)
		}
		if id == "answered" {
			o := store.Outcome{State: store.Completed, Body: []byte("the answer"), TTL: 24 * time.Hour}
			if err := s.Settle(ctx, id, c.Owner, o); err != nil {
				log.Fatal(err)
			}
		}
	}
	if err := s.Close(); err != nil {
		log.Fatal(err)
	}

	if s, err = boltstore.Open(path); err != nil { // the next process
		log.Fatal(err)
	}
	for _, id := range []string{"answered", "under way", "never heard of"} {
		rec, err := s.Get(ctx, id)
		fmt.Printf("%s: %v %q %v\n", id, rec.State, rec.Body, err)
	}
	fmt.Println(s.Close())

	// Output:
	// answered: completed "the answer" <nil>
	// under way: unknown "" <nil>
	// never heard of: absent "" <nil>
	// <nil>
}
