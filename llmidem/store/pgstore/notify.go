package pgstore

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"sync"
	"time"
)

// channelOf is the channel on which the ends of the claims of a schema are told:
// not its name, which may be as long as that of a channel alone.
func channelOf(schema string) string {
	sum := sha256.Sum256([]byte(schema))
	return "llmidem_" + hex.EncodeToString(sum[:8])
}

// notifySQL sends notices, and does not wait for the disk while it keeps others
// from sending theirs: no notice outlasts a crash anyhow, whoever listens.
const notifySQL = `SELECT set_config('synchronous_commit', 'off', true), pg_notify($1::text, notice) FROM unnest($2::text[]) AS notice`

const (
	notifyBatch   = 1000
	notifyTimeout = 10 * time.Second
)

// notifier sends notices behind the calls, all that have come meanwhile at once.
type notifier struct {
	s       *Store
	channel string
	work    chan struct{} // has a value when there is something to send
	quit    chan struct{} // closed when nothing more comes
	once    sync.Once     // of quit

	mu      sync.Mutex
	waiting []string
}

func newNotifier(s *Store, schema string) *notifier {
	return &notifier{s: s, channel: channelOf(schema), work: make(chan struct{}, 1), quit: make(chan struct{})}
}

// told lets everybody know that the claim on id ended: those in this process at
// once.
func (s *Store) told(id string) {
	if s.mouth == nil {
		return
	}
	s.ears.watchers.Notify(id)
	s.mouth.add(id)
}

func (n *notifier) add(id string) {
	n.mu.Lock()
	n.waiting = append(n.waiting, hex.EncodeToString([]byte(id)))
	n.mu.Unlock()
	select {
	case n.work <- struct{}{}:
	default: // it knows
	}
}

// take returns what is to be sent next.
func (n *notifier) take() []string {
	n.mu.Lock()
	defer n.mu.Unlock()
	batch := n.waiting[:min(len(n.waiting), notifyBatch)]
	if n.waiting = n.waiting[len(batch):]; len(n.waiting) == 0 {
		n.waiting = nil
	}
	return batch
}

// stop lets run send what is left, and end.
func (n *notifier) stop() { n.once.Do(func() { close(n.quit) }) }

func (n *notifier) run() {
	for {
		select {
		case <-n.work:
			n.send()
		case <-n.quit:
			n.send()
			return
		}
	}
}

// send sends all there is. What fails is not tried again: who waits asks for
// himself now and then, and a server in trouble is not helped by more work.
func (n *notifier) send() {
	for batch := n.take(); len(batch) > 0; batch = n.take() {
		ctx, cancel := context.WithTimeout(n.s.cut, notifyTimeout)
		err := n.say(ctx, batch)
		cancel()
		if err != nil {
			n.s.log.Debug("llmidem: pgstore: notices were not sent", "count", len(batch), "error", err)
		}
	}
}

// say sends notices.
func (n *notifier) say(ctx context.Context, notices []string) error {
	_, err := n.s.exec(ctx, notifySQL, n.channel, notices)
	return err
}
