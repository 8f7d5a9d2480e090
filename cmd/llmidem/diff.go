package main

import (
	"bufio"
	"fmt"
	"io"
	"text/tabwriter"

	"github.com/llmidem/llmidem-go/llmidem/identity"
	"github.com/spf13/cobra"
)

// difference is one as JSON. A side that has nothing there is left out.
type difference struct {
	Pointer string `json:"pointer"`
	A       string `json:"a,omitempty"`
	B       string `json:"b,omitempty"`
}

func newDiff() *cobra.Command {
	var (
		on     callFlags
		asJSON bool
	)
	cmd := &cobra.Command{
		Use:   "diff a.json b.json",
		Short: "Say why two request bodies have different keys",
		Long: `diff names the places in which the calls of two request bodies differ, as JSON
pointers within their identity documents, down to the single message. Numbers, true,
false and null are shown; of everything else only size and digest. One of the two
may be - for standard input.

Exit status: 0 and no output where the keys are equal, 1 where they differ.`,
		Example: `  llmidem diff a.json b.json
  llmidem diff --provider anthropic --json a.json b.json
  llmidem diff --no-exclude a.json - < b.json`,
		Args: cobra.ExactArgs(2),
		RunE: func(cmd *cobra.Command, args []string) error { return runDiff(cmd, args, &on, asJSON) },
	}
	on.add(cmd)
	cmd.Flags().BoolVar(&asJSON, "json", false, "write one JSON array")
	return cmd
}

func runDiff(cmd *cobra.Command, args []string, on *callFlags, asJSON bool) error {
	if args[0] == "-" && args[1] == "-" {
		return fmt.Errorf("only one of the two can be standard input")
	}
	t, err := on.target()
	if err != nil {
		return err
	}
	var docs [2]identity.Document
	for i := range docs {
		name, body, err := read(cmd, args, i)
		if err != nil {
			return err
		}
		if docs[i], err = t.identify(name, body, true); err != nil {
			return err
		}
	}
	list := identity.Diff(docs[0], docs[1])
	if asJSON {
		rows := make([]difference, len(list))
		for i, d := range list {
			rows[i] = difference(d)
		}
		err = writeJSON(cmd.OutOrStdout(), rows)
	} else {
		err = writeDiff(cmd.OutOrStdout(), list)
	}
	if err == nil && len(list) > 0 {
		return errDiffer
	}
	return written(err)
}

// writeDiff writes differences for people.
func writeDiff(out io.Writer, list []identity.Difference) error {
	b := bufio.NewWriter(out)
	w := tabwriter.NewWriter(b, 0, 8, 2, ' ', 0)
	for _, d := range list {
		fmt.Fprintf(w, "%s\t%s -> %s\n", printable(d.Pointer), orNothing(d.A), orNothing(d.B))
	}
	if err := w.Flush(); err != nil {
		return err
	}
	return b.Flush()
}

func orNothing(s string) string {
	if s == "" {
		return "nothing"
	}
	return s
}
