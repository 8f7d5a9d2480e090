package main

import (
	"encoding/json"
	"fmt"
	"iter"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/llmidem/llmidem-go/llmidem/audit"
	"github.com/llmidem/llmidem-go/llmidem/identity"
	"github.com/spf13/cobra"
)

func newAuditFind() *cobra.Command {
	var (
		on     auditFlags
		asJSON bool
	)
	cmd := &cobra.Command{
		Use:   "find KEY FILE...",
		Short: "Show every record of a key, with its traces",
		Long: `find writes the records of a key, one a line: number, time, what happened, operation and
model, and what else the record says: trace, attempts, source and tokens. The chain is
followed meanwhile; of a log with an HMAC it is compared with the secrets that are given,
and without any only that each record names the one before.`,
		Example: `  llmidem audit find idem_1b2c… audit*.jsonl
  llmidem audit find --json 9f0c1a52-8a3e-5b6f-8d21-0c4e7f3a9b10 audit*.jsonl`,
		Args: cobra.MinimumNArgs(2),
		RunE: func(cmd *cobra.Command, args []string) error {
			key, err := keyArgument(args[0])
			if err != nil {
				return err
			}
			c, err := on.check()
			if err != nil {
				return err
			}
			return findRecords(cmd, key, args[1:], c, asJSON)
		},
	}
	on.add(cmd)
	cmd.Flags().BoolVar(&asJSON, "json", false, "write the records as they stand in the log")
	return cmd
}

// keyArgument reads a key in the form of the wire or of logs.
func keyArgument(text string) (identity.Key, error) {
	k, err := identity.ParseKey(text)
	if err != nil {
		k, err = identity.Foreign(text)
	}
	return k, err
}

func findRecords(cmd *cobra.Command, key identity.Key, files []string, c audit.Check, asJSON bool) error {
	found, err := recordsOf(cmd, key, files, c)
	if err != nil {
		return err
	}
	out := json.NewEncoder(cmd.OutOrStdout())
	out.SetEscapeHTML(false)
	n := 0
	for r, err := range found {
		if err != nil {
			return brokenLog(cmd, err)
		}
		n++
		if asJSON {
			err = out.Encode(r)
		} else {
			_, err = fmt.Fprintln(cmd.OutOrStdout(), recordLine(&r))
		}
		if err != nil {
			return written(err)
		}
	}
	if n == 0 && !asJSON {
		_, err = fmt.Fprintln(cmd.OutOrStdout(), "no record of "+key.LogString())
	}
	return written(err)
}

// recordsOf are the records of a key, or all for the zero Key.
func recordsOf(cmd *cobra.Command, key identity.Key, files []string, c audit.Check) (iter.Seq2[audit.Record, error], error) {
	stdin, err := onlyStdin(files)
	if err != nil {
		return nil, err
	}
	c.Unverified = len(c.Secrets) == 0
	switch {
	case stdin:
		return ofKey(audit.Read(cmd.InOrStdin(), c), key), nil
	case key.IsZero():
		return audit.ReadFiles(files, c), nil
	}
	return audit.Find(files, key, c), nil
}

func ofKey(all iter.Seq2[audit.Record, error], key identity.Key) iter.Seq2[audit.Record, error] {
	if key.IsZero() {
		return all
	}
	return func(yield func(audit.Record, error) bool) {
		for r, err := range all {
			if (err != nil || r.Key == key) && !yield(r, err) {
				return
			}
		}
	}
}

// recordLine is a record for people: what is in it is whatever somebody sent.
func recordLine(r *audit.Record) string {
	what := string(r.Kind)
	if r.Outcome != "" {
		what = string(r.Outcome)
	}
	fields := []string{fmt.Sprint(r.Sequence), r.Time.Format(time.RFC3339Nano), printable(what)}
	add := func(name, value string) {
		if value != "" {
			fields = append(fields, name+"="+printable(value))
		}
	}
	add("operation", r.Operation)
	add("provider", r.Provider)
	add("model", r.Model)
	add("user", r.User)
	add("user_hash", r.UserHash)
	add("trace", r.TraceID)
	add("span", r.SpanID)
	add("origin", r.OriginTraceID)
	if r.Intent > 0 {
		add("intent", fmt.Sprint(r.Intent))
	}
	add("attempts", attemptsText(r.Attempts))
	add("source", r.Source)
	add("paid", tokensText(r.Usage))
	add("saved", tokensText(r.Saved))
	add("error", r.ErrorType)
	return strings.Join(fields, " ")
}

func attemptsText(list []audit.Attempt) string {
	var parts []string
	for _, a := range list {
		text := a.Class
		switch {
		case a.Status > 0:
			text += fmt.Sprint(":", a.Status)
		case a.ErrorType != "":
			text += ":" + a.ErrorType
		}
		parts = append(parts, text)
	}
	return strings.Join(parts, ",")
}

func tokensText(u audit.Usage) string {
	if u == (audit.Usage{}) {
		return ""
	}
	return fmt.Sprintf("%d+%d", u.InputTokens, u.OutputTokens)
}

func newAuditStats() *cobra.Command {
	var (
		on     auditFlags
		asJSON bool
	)
	cmd := &cobra.Command{
		Use:   "stats FILE...",
		Short: "Count duplicates prevented, tokens paid and saved, calls in doubt",
		Long: `stats sums up the calls in a log: how they ended, how many duplicates were prevented,
which tokens were paid and saved, and which calls are in doubt: ambiguous ones, and those
whose process ended before it could say what became of them, or that are under way.`,
		Example: `  llmidem audit stats audit*.jsonl
  llmidem audit stats --json audit*.jsonl`,
		Args: cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			c, err := on.check()
			if err != nil {
				return err
			}
			return sumUp(cmd, args, c, asJSON)
		},
	}
	on.add(cmd)
	cmd.Flags().BoolVar(&asJSON, "json", false, "write one JSON object")
	return cmd
}

func sumUp(cmd *cobra.Command, files []string, c audit.Check, asJSON bool) error {
	all, err := recordsOf(cmd, identity.Key{}, files, c)
	if err != nil {
		return err
	}
	var s audit.Stats
	var bad error
	for r, err := range all {
		if err != nil {
			if bad = err; s.Records == 0 {
				return brokenLog(cmd, err)
			}
			break
		}
		s.Add(r)
	}
	if asJSON {
		out := json.NewEncoder(cmd.OutOrStdout())
		err = out.Encode(s)
	} else {
		err = writeStats(cmd, &s)
	}
	if err != nil {
		return written(err)
	}
	return brokenLog(cmd, bad)
}

func writeStats(cmd *cobra.Command, s *audit.Stats) error {
	w := tabwriter.NewWriter(cmd.OutOrStdout(), 0, 0, 2, ' ', 0)
	fmt.Fprintf(w, "records\t%d\t%s to %s\n", s.Records, s.Begin.Format(time.RFC3339), s.End.Format(time.RFC3339))
	fmt.Fprintf(w, "calls\t%d\tanswered %d, replayed %d, ambiguous %d, refused %d, failed %d\n",
		s.Outcomes, s.Answered, s.Replayed, s.Ambiguous, s.Refused, s.Failed)
	fmt.Fprintf(w, "duplicates prevented\t%d\tanswers that were there already\n", s.Replayed)
	fmt.Fprintf(w, "in doubt\t%d\tambiguous %d, without an outcome %d\n", s.Ambiguous+s.Unsettled, s.Ambiguous, s.Unsettled)
	fmt.Fprintf(w, "requests sent\t%d\tattempts of all calls\n", s.Attempts)
	fmt.Fprintf(w, "tokens paid\t%d\tinput %d, output %d\n", s.Paid.Total(), s.Paid.InputTokens, s.Paid.OutputTokens)
	fmt.Fprintf(w, "tokens saved\t%d\tinput %d, output %d\n", s.Saved.Total(), s.Saved.InputTokens, s.Saved.OutputTokens)
	fmt.Fprintf(w, "opened\t%d\tafter an end half written %d\n", s.Opened, s.Recovered)
	return w.Flush()
}
