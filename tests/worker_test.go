package tests

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"os"
	"os/exec"
	"strconv"
	"sync"
	"testing"
	"time"

	openai "github.com/sashabaranov/go-openai"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/llmidem/llmidem-go/llmidem"
	"github.com/llmidem/llmidem-go/llmidem/providers"
	"github.com/llmidem/llmidem-go/llmidem/providers/goopenai"
)

// workVariable has the job of a worker, which is this test binary run again.
const workVariable = "LLMIDEM_TESTS_JOB"

func TestMain(m *testing.M) {
	if text := os.Getenv(workVariable); text != "" {
		if err := work(text); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	// A proxy that is stopped while bytes are under way leaves its pipes behind.
	goleak.VerifyTestMain(m, goleak.IgnoreAnyFunction("github.com/Shopify/toxiproxy/v2.(*ToxicLink).read"),
		goleak.IgnoreAnyFunction("github.com/Shopify/toxiproxy/v2/toxics.(*NoopToxic).Pipe"))
}

// job is what a worker does: that many goroutines ask every prompt, each in an
// order of its own.
type job struct {
	Store, Server string
	Namespace     string
	Goroutines    int
	Prompts       int
	Seed          uint64
	Patience      time.Duration // of each call
}

func prompt(i int) string { return "prompt " + strconv.Itoa(i) }

// told is one line of a worker: what became of a call.
type told struct {
	Prompt, Answer string
	Source         llmidem.Source
	Kept           bool
	Err            string
}

// work does a job and writes its lines to standard output.
func work(text string) error {
	var j job
	if err := json.Unmarshal([]byte(text), &j); err != nil {
		return err
	}
	ctx := context.Background()
	s, closeStore, err := open(ctx, j.Store)
	if err != nil {
		return err
	}
	defer closeStore()
	client, err := llmidem.New(providers.OpenAI(), llmidem.WithStore(s), llmidem.WithNamespace(j.Namespace),
		llmidem.WithLogger(slog.New(slog.DiscardHandler)))
	if err != nil {
		return err
	}
	defer client.Close(ctx)
	api := apiOf(client, j.Server)
	var mu sync.Mutex
	out := json.NewEncoder(os.Stdout)
	var all sync.WaitGroup
	for g := range j.Goroutines {
		all.Go(func() {
			for _, i := range rand.New(rand.NewPCG(j.Seed, uint64(g))).Perm(j.Prompts) {
				t := ask(ctx, api, prompt(i), j.Patience)
				mu.Lock()
				_ = out.Encode(t)
				mu.Unlock()
			}
		})
	}
	all.Wait()
	return nil
}

func apiOf(client *llmidem.Client, server string) *goopenai.Client {
	cfg := openai.DefaultConfig("sk-test")
	cfg.BaseURL = server
	cfg.HTTPClient = nil
	return goopenai.New(cfg, client)
}

// ask makes one call.
func ask(ctx context.Context, api *goopenai.Client, prompt string, patience time.Duration) told {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	res, err := llmidem.Call(ctx, api.CreateChatCompletion, openai.ChatCompletionRequest{Model: "gpt-4o-mini",
		Messages: []openai.ChatCompletionMessage{{Role: openai.ChatMessageRoleUser, Content: prompt}}})
	t := told{Prompt: prompt, Source: res.Receipt.Source, Kept: res.Receipt.Kept}
	if err != nil {
		t.Err = err.Error()
		return t
	}
	t.Answer = res.Value.Choices[0].Message.Content
	return t
}

// worker is a process.
type worker struct {
	cmd   *exec.Cmd
	lines chan told // closed at its end
	err   error     // known then
}

func start(t *testing.T, j job) *worker {
	t.Helper()
	text, err := json.Marshal(j)
	require.NoError(t, err)
	self, err := os.Executable()
	require.NoError(t, err)
	cmd := exec.Command(self)
	cmd.Env = append(os.Environ(), workVariable+"="+string(text))
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	w := &worker{cmd: cmd, lines: make(chan told, 1<<16)}
	go w.read(out)
	return w
}

// read takes lines until the process ends; a line that was cut off by its death is
// none.
func (w *worker) read(out io.Reader) {
	defer close(w.lines)
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		var t told
		if json.Unmarshal(lines.Bytes(), &t) == nil {
			w.lines <- t
		}
	}
	w.err = w.cmd.Wait()
}

// kill ends the process at once, as the kernel does when memory is short.
func (w *worker) kill() { _ = w.cmd.Process.Kill() }
