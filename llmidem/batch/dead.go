package batch

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/llmidem/llmidem-go/llmidem/store"
)

// Dead letters are kept in the state, so that the results can be written anew from
// it, and so that no other process sends the item again.

func (j *job) deadID(customID string) string {
	return recordID("dead letter", j.name, j.digest, customID)
}

// bury keeps a dead letter.
func (j *job) bury(ctx context.Context, r *Result) error {
	text, err := r.line()
	if err != nil {
		return err
	}
	return j.put(ctx, j.deadID(r.CustomID), deadMark, text, store.TakeSettled)
}

// exhume returns the dead letter of an item, nil if it is none.
func (j *job) exhume(ctx context.Context, customID string) (*Result, error) {
	rec, err := j.store.Get(ctx, j.deadID(customID))
	if err != nil {
		return nil, fmt.Errorf("batch: the state: %w", err)
	}
	if rec.State != store.Completed || rec.Fingerprint != deadMark {
		return nil, nil // one that is in doubt is sent again: it has no answer
	}
	r := &Result{}
	if json.Unmarshal(rec.Body, r) != nil || r.CustomID != customID {
		return nil, nil
	}
	return r, nil
}

// revive removes a dead letter that is tried again.
func (j *job) revive(ctx context.Context, customID string) error {
	return j.put(ctx, j.deadID(customID), deadMark, nil, store.TakeSettled)
}
