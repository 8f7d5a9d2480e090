package pgstore_test

import (
	"context"
	"fmt"
	"log"
	"os"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/llmidem/llmidem-go/llmidem/store"
	"github.com/llmidem/llmidem-go/llmidem/store/pgstore"
)

// Two processes that run this with the same id pay once.
func Example() {
	ctx := context.Background()
	s, err := pgstore.Open(ctx, os.Getenv("DATABASE_URL"), pgstore.WithSchema("answers"))
	if err != nil {
		log.Fatal(err)
	}
	defer func() { _ = s.Close(ctx) }()

	const id = "what is asked, as a digest"
	c := store.Claim{Owner: store.NewOwner(), Lease: time.Minute}
	rec, err := s.Claim(ctx, id, c)
	if err != nil {
		log.Fatal(err)
	}
	if rec.Owner != c.Owner { // another has it, or had it
		if rec, err = store.Wait(ctx, s, id); err != nil {
			log.Fatal(err)
		}
		fmt.Println(rec.State, string(rec.Body))
		return
	}
	err = s.Settle(ctx, id, c.Owner, store.Outcome{State: store.Completed, Body: []byte("42"), TTL: 24 * time.Hour})
	if err != nil {
		log.Fatal(err)
	}
}

// An application that may not make tables has them made when it is deployed.
func ExampleMigrate() {
	ctx := context.Background()
	owner, err := pgxpool.New(ctx, os.Getenv("DATABASE_OWNER_URL"))
	if err != nil {
		log.Fatal(err)
	}
	defer owner.Close()
	if err := pgstore.Migrate(ctx, owner, "answers"); err != nil {
		log.Fatal(err)
	}
	// GRANT USAGE ON SCHEMA answers TO app;
	// GRANT SELECT, INSERT, UPDATE, DELETE ON answers.records TO app;
	s, err := pgstore.Open(ctx, os.Getenv("DATABASE_URL"), pgstore.WithSchema("answers"), pgstore.WithoutMigration())
	if err != nil {
		log.Fatal(err)
	}
	defer func() { _ = s.Close(ctx) }()
}
