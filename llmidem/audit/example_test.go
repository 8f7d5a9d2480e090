package audit_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"os"
	"path/filepath"
	"strings"

	"github.com/llmidem/llmidem-go/llmidem/audit"
)

// A call has two records: one before anything is sent, and one that says what became of
// it. Whoever changes the log afterwards is found out.
func Example() {
	dir, err := os.MkdirTemp("", "audit")
	if err != nil {
		log.Fatal(err)
	}
	defer func() { _ = os.RemoveAll(dir) }()
	path := filepath.Join(dir, "audit.jsonl")

	l, err := audit.Open(path)
	if err != nil {
		log.Fatal(err)
	}
	ctx := context.Background()
	call := audit.Record{Kind: audit.KindIntent, Operation: "chat", Model: "gpt-4o-mini"}
	at, err := l.Append(ctx, call) // on the disk when it returns
	if err != nil {
		log.Fatal(err)
	}
	call.Kind, call.Intent, call.Outcome = audit.KindOutcome, at.Sequence, audit.OutcomeAnswered
	call.Attempts = []audit.Attempt{{Class: "done", Status: 200}}
	call.Usage = audit.Usage{InputTokens: 12, OutputTokens: 34}
	if _, err := l.Append(ctx, call); err != nil {
		log.Fatal(err)
	}
	anchor := l.Head() // to be kept elsewhere
	if err := l.Close(); err != nil {
		log.Fatal(err)
	}

	report, err := audit.VerifyFiles(ctx, []string{path}, audit.Check{Head: anchor})
	fmt.Println(report.Records, "records", err)
	var sums audit.Stats
	for r, err := range audit.ReadFiles([]string{path}, audit.Check{}) {
		if err != nil {
			log.Fatal(err)
		}
		fmt.Printf("%d %s %q\n", r.Sequence, r.Kind, r.Outcome)
		sums.Add(r)
	}
	fmt.Println(sums.Paid.Total(), "tokens paid")

	content, err := os.ReadFile(path)
	if err != nil {
		log.Fatal(err)
	}
	changed := strings.Replace(string(content), `"input_tokens":12`, `"input_tokens":21`, 1)
	_, err = audit.Verify(ctx, strings.NewReader(changed), audit.Check{})
	var broken *audit.BrokenError
	if errors.As(err, &broken) {
		fmt.Printf("record %d: %s\n", broken.Sequence, broken.Reason)
	}

	// Output:
	// 3 records <nil>
	// 1 opened ""
	// 2 intent ""
	// 3 outcome "answered"
	// 46 tokens paid
	// record 3: the record does not have its hash: it was changed
}
