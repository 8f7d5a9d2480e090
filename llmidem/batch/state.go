package batch

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/llmidem/llmidem-go/llmidem/store"
)

// stateFormat is the version of everything that a batch writes down: a state of
// another one is refused.
const stateFormat = 1

// header is the record that says which batch a state is of.
type header struct {
	Format   int    `json:"format"`
	Input    string `json:"input"` // digest; "" under Share
	Items    int    `json:"items"`
	Equal    int    `json:"equal"`
	Target   string `json:"target"`
	Provider string `json:"provider"`
	Rules    string `json:"rules"` // digest
	Collapse bool   `json:"collapse"`
	Share    bool   `json:"share"`
	First    string `json:"first"` // address of the first item; "" under Share
	Slow     bool   `json:"slow"`  // some custom ids cannot be found quickly
}

// recordID is where a record of the batch's own lies in the store.
func recordID(parts ...string) string {
	h := sha256.New()
	for _, p := range append([]string{"llmidem batch"}, parts...) {
		var n [8]byte
		binary.BigEndian.PutUint64(n[:], uint64(len(p)))
		h.Write(n[:])
		h.Write([]byte(p))
	}
	return hex.EncodeToString(h.Sum(nil))
}

func (j *job) headerID() string {
	if j.share {
		return recordID("state shared", j.name)
	}
	return recordID("state", j.name)
}

// marks of the batch's own records.
var (
	headerMark = store.Fingerprint(sha256.Sum256([]byte("llmidem batch state")))
	deadMark   = store.Fingerprint(sha256.Sum256([]byte("llmidem batch dead letter")))
)

// header is that of this batch. First is known after the survey.
func (j *job) header() (header, error) {
	p := j.client.Provider()
	rules, err := json.Marshal(p.Rules)
	if err != nil {
		return header{}, fmt.Errorf("batch: the provider's rules: %w", err)
	}
	sum := sha256.Sum256(rules)
	h := header{Format: stateFormat, Input: j.digest, Items: j.index.n, Equal: j.index.equal, Target: j.target.place(),
		Provider: p.Name, Rules: hex.EncodeToString(sum[:]), Collapse: j.collapse, Share: j.share, First: j.first, Slow: j.slow}
	if j.share {
		h.Input, h.Items, h.Equal, h.First = "", 0, 0, ""
	}
	return h, nil
}

var errHeader = errors.New("batch: the record that says which batch the state is of cannot be read: the state is damaged; " +
	"restore a copy of it, or use another one, which sends again what the results do not have")

// readHeader returns the header of the state, and whether there is one.
func (j *job) readHeader(ctx context.Context) (h header, ok bool, err error) {
	rec, err := store.Wait(ctx, j.store, j.headerID())
	switch {
	case err != nil:
		return h, false, fmt.Errorf("batch: the state: %w", err)
	case rec.State == store.Absent, rec.State == store.Unknown && rec.Fingerprint == headerMark:
		return h, false, nil // in doubt, it was being written when its process died: nothing was sent then
	case rec.State != store.Completed || rec.Fingerprint != headerMark || json.Unmarshal(rec.Body, &h) != nil:
		return h, false, errHeader
	}
	return h, true, nil
}

// compare says how a state's header differs from this batch's.
func (h header) compare(own header) error {
	var diffs []string
	differ := func(what, had, has string) {
		diffs = append(diffs, fmt.Sprintf("%s: %s in the state, %s now", what, had, has))
	}
	if h.Format != own.Format {
		differ("the version of its format", fmt.Sprint(h.Format), fmt.Sprint(own.Format))
		return fmt.Errorf("%w: %s; finish it with the version that began it, or use another state", ErrState, diffs[0])
	}
	if h.Input != own.Input {
		differ("the input's SHA-256", fmt.Sprintf("%.12s… (%d items)", h.Input, h.Items), fmt.Sprintf("%.12s…", own.Input))
	}
	if h.Target != own.Target {
		differ("the base URL", h.Target, own.Target)
	}
	if h.Provider != own.Provider {
		differ("the provider", h.Provider, own.Provider)
	}
	if h.Rules != own.Rules {
		differ("the rules of what identifies a call, SHA-256", fmt.Sprintf("%.12s…", h.Rules), fmt.Sprintf("%.12s…", own.Rules))
	}
	if h.Collapse != own.Collapse {
		differ("Collapse", fmt.Sprint(h.Collapse), fmt.Sprint(own.Collapse))
	}
	if len(diffs) == 0 && own.First != "" && h.First != own.First {
		diffs = append(diffs, "the credentials, the tenant, the namespace, the query of the base URL or what makes the keys: "+
			"with these the answers would not be found and all be paid for again; use those it was begun with, or WithTenant from the start")
	}
	if len(diffs) == 0 {
		return nil
	}
	return fmt.Errorf("%w: %s; use another state, or give each batch a Name", ErrState, strings.Join(diffs, "; "))
}

// stateLease is how long one of the batch's own writes may take.
const stateLease = 30 * time.Second

// put writes a record of the batch's own, unless another was first. With a nil body
// it removes the record.
func (j *job) put(ctx context.Context, id string, mark store.Fingerprint, body []byte, take store.Takeover) error {
	c := store.Claim{Owner: store.NewOwner(), Lease: stateLease, Fingerprint: mark, Takeover: take}
	rec, err := j.store.Claim(ctx, id, c)
	if err == nil && rec.Owner == c.Owner {
		out := store.Outcome{State: store.Completed, Body: body}
		if body == nil {
			out = store.Outcome{State: store.Absent}
		}
		err = j.store.Settle(context.WithoutCancel(ctx), id, c.Owner, out)
	}
	if err != nil && !errors.Is(err, store.ErrLost) {
		return fmt.Errorf("batch: the state: %w", err)
	}
	return nil
}

// writeHeader writes this batch's header, and compares with another process's that
// was faster.
func (j *job) writeHeader(ctx context.Context) error {
	own, err := j.header()
	if err != nil {
		return err
	}
	body, err := json.Marshal(own)
	if err != nil {
		return err
	}
	if err := j.put(ctx, j.headerID(), headerMark, body, store.TakeDoubt); err != nil {
		return err
	}
	h, ok, err := j.readHeader(ctx)
	switch {
	case err != nil:
		return err
	case !ok:
		return errHeader
	}
	return h.compare(own)
}
