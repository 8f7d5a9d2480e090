package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"slices"
	"text/tabwriter"

	"github.com/llmidem/llmidem-go/llmidem/identity"
	"github.com/spf13/cobra"
)

func newExplain() *cobra.Command {
	var (
		on     callFlags
		scheme schemeFlags
		asJSON bool
	)
	cmd := &cobra.Command{
		Use:   "explain [file]",
		Short: "Show what a request body's key is made of",
		Long: `explain shows what the key of a request body is made of: operation, model, user,
every member that counted with its size and digest, down to the single message,
what was excluded, and each attachment with its size and digest. It shows no text
of prompt or parameters.`,
		Example: `  llmidem explain request.json
  llmidem explain --json --user u-42 request.json
  llmidem explain --route /v1/audio/transcriptions \
    --header 'Content-Type: multipart/form-data; boundary=xyz' form.bin`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			k, e, err := explanation(cmd, args, &on, &scheme)
			if err != nil {
				return err
			}
			if asJSON {
				return written(writeJSON(cmd.OutOrStdout(), explained(k, e)))
			}
			return written(writeExplanation(cmd.OutOrStdout(), k, e))
		},
	}
	on.add(cmd)
	scheme.add(cmd)
	cmd.Flags().BoolVar(&asJSON, "json", false, "write one JSON object")
	return cmd
}

func explanation(cmd *cobra.Command, args []string, on *callFlags, scheme *schemeFlags) (k identity.Key, e identity.Explanation, err error) {
	t, err := on.target()
	if err != nil {
		return k, e, err
	}
	s, err := scheme.build(cmd)
	if err != nil {
		return k, e, err
	}
	name, body, err := read(cmd, args, 0)
	if err != nil {
		return k, e, err
	}
	d, err := t.identify(name, body, true)
	if err != nil {
		return k, e, err
	}
	k, err = s.Key(d)
	return k, d.Explain(), err
}

// writeExplanation writes an explanation for people.
func writeExplanation(out io.Writer, k identity.Key, e identity.Explanation) error {
	b := bufio.NewWriter(out)
	w := tabwriter.NewWriter(b, 0, 8, 2, ' ', 0)
	user := printable(e.User)
	if e.UserFrom != "" {
		user += " (from " + printable(e.UserFrom) + ")"
	}
	for _, row := range [][2]string{
		{"key", k.String()}, {"operation", printable(e.Operation)}, {"model", printable(e.Model)},
		{"user", user}, {"scope", printable(e.Scope)}, {"occurrence", fmt.Sprint(e.Occurrence)},
	} {
		if row[1] != "" {
			fmt.Fprintf(w, "%s\t%s\n", row[0], row[1])
		}
	}
	for _, name := range slices.Sorted(maps.Keys(e.Headers)) {
		fmt.Fprintf(w, "header\t%s\t%s\n", printable(name), printable(e.Headers[name]))
	}
	for _, m := range e.Members {
		fmt.Fprintf(w, "member\t%s\t%s\n", printable(m.Pointer), sight(m))
	}
	for _, a := range e.Attachments {
		fmt.Fprintf(w, "attachment\t%s\t%d bytes %s %s %s\n", printable(a.Pointer), a.Size, a.Digest, a.Encoding, printable(a.MediaType))
	}
	for _, p := range e.Excluded {
		fmt.Fprintf(w, "excluded\t%s\n", printable(p))
	}
	if err := w.Flush(); err != nil {
		return err
	}
	return b.Flush()
}

// sight shows a member's value where that is no text, else its size and digest.
func sight(m identity.Member) string {
	switch {
	case m.Value != "":
		return m.Value
	case m.Size < 0:
		return m.Digest
	}
	return fmt.Sprintf("%d bytes %s", m.Size, m.Digest)
}

// writeJSON writes one indented JSON value.
func writeJSON(out io.Writer, v any) error {
	enc := json.NewEncoder(out)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	return enc.Encode(v)
}
