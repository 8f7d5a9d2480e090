package redisstore_test

import (
	"context"
	"log"
	"log/slog"
	"time"

	"github.com/llmidem/llmidem-go/llmidem/store"
	"github.com/llmidem/llmidem-go/llmidem/store/redisstore"
)

// Processes that open the same server with the same prefix share claims and
// answers. This one claims an id, or waits for the process that has it.
func ExampleOpen() {
	ctx := context.Background()
	s, err := redisstore.Open(ctx, "rediss://user:password@redis.example.com:6379/0",
		redisstore.WithPrefix("billing:"),
		redisstore.WithLogger(slog.Default()))
	if err != nil {
		log.Fatal(err)
	}
	defer func() { _ = s.Close() }()

	claim := store.Claim{Owner: store.NewOwner(), Lease: time.Minute}
	rec, err := s.Claim(ctx, "invoice-17", claim)
	if err != nil {
		log.Fatal(err)
	}
	if rec.Owner != claim.Owner {
		rec, err = store.Wait(ctx, s, "invoice-17")
		log.Println(rec.State, err)
		return
	}
	answer := []byte("paid") // what is to be done once
	err = s.Settle(ctx, "invoice-17", claim.Owner, store.Outcome{State: store.Completed, Body: answer, TTL: 24 * time.Hour})
	log.Println(err)
}
