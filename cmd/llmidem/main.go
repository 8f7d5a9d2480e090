// Command llmidem makes, explains and compares the keys of inference calls, and runs
// batches of them.
package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"runtime/debug"

	"github.com/spf13/cobra"

	"github.com/llmidem/llmidem-go/llmidem/batch"
)

// Exit statuses. A refusal that was asked for (key --calls) is an answer: statusOK.
const (
	statusOK      = 0
	statusDiffer  = 1 // diff: the keys differ
	statusStopped = 1 // batch: it stopped before the end
	statusBad     = 2 // bad input, bad flags, or output that could not be written
	statusDead    = 3 // batch: some items are dead letters
)

// errDiffer ends diff with statusDiffer; the differences are its message.
var errDiffer = errors.New("the keys differ")

func main() {
	os.Exit(run(os.Args[1:], os.Stdin, os.Stdout, os.Stderr))
}

// run is the whole program but for the process around it. It returns the exit status.
func run(args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	root := newRoot()
	root.SetArgs(append([]string{}, args...)) // cobra takes nil for os.Args
	root.SetIn(stdin)
	root.SetOut(stdout)
	root.SetErr(stderr)
	err := root.Execute()
	var own *statusError
	var bad *batch.InputError
	switch {
	case err == nil:
		return statusOK
	case errors.Is(err, errDiffer):
		return statusDiffer
	case errors.As(err, &bad): // all that is wrong, a line each
		fmt.Fprintln(stderr, "llmidem: "+printableLines(bad.Error()))
		return statusBad
	}
	fmt.Fprintln(stderr, "llmidem: "+printable(err.Error()))
	if errors.As(err, &own) {
		return own.status
	}
	return statusBad
}

func newRoot() *cobra.Command {
	root := &cobra.Command{
		Use:   "llmidem",
		Short: "Keys that say when two inference calls are the same call",
		Long: `llmidem makes the key of an inference call from its request body: two bodies
that mean the same, whatever their member order, white space, escapes and delivery
fields, have one key.

Exit status: 0, or 1 where diff found a difference, or 2 with one line on standard
error for bad input. That of batch says more; see there.`,
		Version:            version(),
		SilenceErrors:      true, // run prints them, on one line
		SilenceUsage:       true,
		DisableSuggestions: true,
		Args:               cobra.NoArgs,
		RunE:               func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	root.AddCommand(newKey(), newExplain(), newDiff(), newBatch())
	return root
}

// version is what the build recorded of the module.
func version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok || info.Main.Version == "" {
		return "(devel)"
	}
	return info.Main.Version + " " + info.GoVersion
}
