// Command llmidem makes, explains, compares and checks the keys of inference calls, asks
// services what they do with them, runs batches of calls, reads the audit logs of calls,
// and checks and shows the settings of a client.
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
	statusOK     = 0
	statusDiffer = 1 // diff: the keys differ; key --check: some are not of the form; verify: the expectation is not met; audit: the chain does not hold
	statusBad    = 2 // bad input, bad flags, or output that could not be written
	statusMute   = 3 // verify: the service could not be asked, or does not tell

	statusStopped = 1 // batch: it stopped before the end
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
	var many faults
	var bad *batch.InputError
	switch {
	case err == nil, errors.Is(err, errDiffer), errors.Is(err, errBroken), errors.Is(err, errBadKeys): // said
	case errors.As(err, &many):
		fmt.Fprintln(stderr, many)
	case errors.As(err, &bad): // all that is wrong, a line each
		fmt.Fprintln(stderr, "llmidem: "+printableLines(bad.Error()))
	default:
		fmt.Fprintln(stderr, "llmidem: "+printable(err.Error()))
	}
	return statusOf(err)
}

// statusOf is the exit status of what a command returned.
func statusOf(err error) int {
	var mute *unasked
	var own *statusError
	switch {
	case err == nil:
		return statusOK
	case errors.Is(err, errDiffer), errors.Is(err, errUnmet), errors.Is(err, errBroken), errors.Is(err, errBadKeys):
		return statusDiffer
	case errors.As(err, &mute):
		return statusMute
	case errors.As(err, &own):
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

Exit status: 0, or 1 where diff found a difference, key --check a key that is not of the
form, verify another class than expected or audit a broken log, or 2 with one line on
standard error for bad input (config: one for each thing that is wrong), or 3 where
verify could not ask a service. That of batch says more; see there.`,
		Version:            version(),
		SilenceErrors:      true, // run prints them, on one line
		SilenceUsage:       true,
		DisableSuggestions: true,
		Args:               cobra.NoArgs,
		RunE:               func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	root.AddCommand(newKey(), newExplain(), newDiff(), newVerify(transport()), newAudit(), newConfig(), newBatch())
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
