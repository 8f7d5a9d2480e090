package batch

import (
	"time"

	"github.com/llmidem/llmidem-go/llmidem"
)

// fate is what a task came to.
type fate uint8

const (
	fateLeft     fate = iota // stopped before it was made
	fateDeferred             // another process makes it
	fateMissing              // not in the state, of which alone it is collected
	fateResult               // answered, or a dead letter
)

// outcome is what became of an item.
type outcome struct {
	n       int
	fate    fate
	out     output
	receipt llmidem.Receipt
	known   bool // a dead letter of an earlier start
	unkept  bool // the state does not have it
}

// recorder writes the results, and counts them. All its state is one goroutine's.
type recorder struct {
	*engine
	w       writer
	broken  error           // of the sink
	waiting map[int]outcome // for their turn, if results are ordered
	turn    int
	list    []output
	spaces  int // in room, of what is in list
	durable bool
	inRow   int // dead letters
	told    time.Time
}

// progressEvery is how often progress is told.
const progressEvery = 100 * time.Millisecond

// mostAtOnce is how many outcomes go into one write.
const mostAtOnce = 512

func (r *recorder) run() {
	tick := time.NewTicker(progressEvery)
	defer tick.Stop()
	for {
		select {
		case o, ok := <-r.outcomes:
			if !ok {
				return
			}
			r.take(o)
			for len(r.list) < mostAtOnce && len(r.outcomes) > 0 {
				r.take(<-r.outcomes)
			}
			r.flush()
		case <-tick.C:
		}
		if now := time.Now(); now.Sub(r.told) >= progressEvery {
			r.told = now
			r.progress(r.sum)
		}
	}
}

// take sorts an outcome to where it belongs.
func (r *recorder) take(o outcome) {
	if o.fate == fateDeferred {
		r.deferred.set(o.n)
	}
	if !r.ordered {
		r.accept(o)
		r.pending.Done()
		return
	}
	r.waiting[o.n] = o
	for {
		for r.turn < r.index.n && r.index.done.has(r.turn) {
			r.turn++
		}
		next, ok := r.waiting[r.turn]
		if !ok || next.fate == fateLeft {
			break
		}
		delete(r.waiting, r.turn)
		r.turn++
		r.accept(next)
	}
	r.pending.Done()
}

// accept counts an outcome whose turn it is, and lines it up. It is counted also when
// the sink is broken: it is in the state.
func (r *recorder) accept(o outcome) {
	r.spaces++
	s := &r.sum
	if n := o.receipt.Attempts; n > 0 {
		s.Requests += n
		s.Retries += n - 1
	}
	add(&s.Paid, o.receipt.Usage)
	if o.fate != fateResult {
		return
	}
	add(&s.Saved, o.receipt.Saved)
	s.Left--
	r.list = append(r.list, o.out)
	r.durable = r.durable || o.unkept
	if o.unkept {
		s.Unkept++
	}
	if !o.out.result.Answered() {
		s.Failed++
		if !o.known {
			r.inRow++
		}
		if r.stopAfter > 0 && r.inRow >= r.stopAfter {
			r.fail(ErrFailing)
		}
		return
	}
	r.inRow = 0
	switch o.receipt.Source {
	case llmidem.SourceStore, llmidem.SourceCache:
		s.Stored++
	case llmidem.SourceCoalesced:
		s.Shared++
	default:
		s.Sent++
	}
}

func add(to *llmidem.Usage, u llmidem.Usage) {
	to.InputTokens += u.InputTokens
	to.OutputTokens += u.OutputTokens
}

// flush writes what is lined up, and makes room for as many items.
func (r *recorder) flush() {
	if len(r.list) > 0 && r.broken == nil {
		err := r.w.write(r.list)
		if err == nil && r.durable {
			err = r.w.sync()
		}
		if err != nil {
			r.broken = err
			r.fail(err)
		}
	}
	clear(r.list)
	r.list, r.durable = r.list[:0], false
	for ; r.spaces > 0; r.spaces-- {
		<-r.room
	}
}
