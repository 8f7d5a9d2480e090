// Agent plans a trip in six steps, and is killed (SIGKILL) while it does. Started
// again it asks the same questions, gets the answers that it had, and goes on from
// where it was. The first program here starts, kills and starts the second one, and
// is the service that both ask: a model that ignores idempotency keys, like every
// large one, and a booking office that honours them.
package main

import (
	"bytes"
	"fmt"
	"log"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"github.com/llmidem/llmidem-go/llmidem/llmtest"
)

func main() {
	if model := os.Getenv("AGENT_MODEL"); model != "" { // the agent: see agent.go
		if err := agent(model, os.Getenv("AGENT_OFFICE"), os.Getenv("AGENT_STATE")); err != nil {
			log.Fatal(err)
		}
		return
	}
	undisturbed, _ := life(0)
	fmt.Println("undisturbed:", undisturbed.answer)
	fmt.Println("model calls:", undisturbed.executions, "tickets:", undisturbed.tickets)

	killed, kills := life(4)
	fmt.Println("killed and started again:", killed.answer)
	fmt.Println("the same answer:", killed.answer == undisturbed.answer)
	fmt.Println("tickets:", killed.tickets)
	again := killed.executions - undisturbed.executions
	fmt.Println("steps billed twice that were not in flight at a kill:", max(0, again-kills))
	if killed.repeats > 1+kills {
		log.Fatalf("one step was sent %d times", killed.repeats)
	}
}

// outcome is what one life of the agent, with all its deaths, came to.
type outcome struct {
	answer     string
	executions int // of the model, billed
	repeats    int // of the step that was executed most often
	tickets    int64
}

// life runs the agent to its end, killing it that many times at a random moment of
// a random step.
func life(kills int) (o outcome, killed int) {
	dir, err := os.MkdirTemp("", "agent")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)
	model, office := llmtest.Start(), newOffice()
	defer model.Close()
	defer office.Close()

	var current atomic.Pointer[os.Process]
	var left, steps atomic.Int64
	left.Store(int64(kills))
	steps.Store(rand.Int64N(6))
	model.Handle(func(*llmtest.Request) llmtest.Fault {
		if left.Load() > 0 && steps.Add(-1) < 0 {
			left.Add(-1)
			steps.Store(rand.Int64N(6))
			victim, moment := current.Load(), rand.N(20*time.Millisecond)
			time.AfterFunc(moment, func() { _ = victim.Kill() })
		}
		return llmtest.Delay(5 * time.Millisecond)
	})
	for {
		cmd := exec.Command(os.Args[0])
		cmd.Env = append(os.Environ(), "AGENT_MODEL="+model.URL(), "AGENT_OFFICE="+office.URL, "AGENT_STATE="+filepath.Join(dir, "state.db"))
		var out, complaint bytes.Buffer
		cmd.Stdout, cmd.Stderr = &out, &complaint
		if err := cmd.Start(); err != nil {
			log.Fatal(err)
		}
		current.Store(cmd.Process)
		err := cmd.Wait()
		if err == nil {
			o.answer = out.String()
			break
		}
		if cmd.ProcessState.ExitCode() != -1 { // not killed
			log.Fatalf("%v: %s", err, complaint.String())
		}
		killed++
	}
	ledger := model.Ledger()
	for _, key := range ledger.Keys() {
		o.repeats = max(o.repeats, ledger.ExecutionsOf(key))
	}
	o.executions, o.tickets = ledger.Executions(), office.issued.Load()
	return o, killed
}

// office issues tickets, each with another number: one for each idempotency key.
type office struct {
	*httptest.Server
	issued atomic.Int64
}

func newOffice() *office {
	o := &office{}
	var mu sync.Mutex
	tickets := map[string]int64{}
	o.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		key := r.Header.Get("Idempotency-Key")
		if tickets[key] == 0 {
			tickets[key] = o.issued.Add(1)
		}
		fmt.Fprint(w, tickets[key])
	}))
	return o
}
