package main

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/llmidem/llmidem-go/llmidem/audit"
	"github.com/spf13/cobra"
)

// errBroken ends audit with statusDiffer; where the log is broken is its message.
var errBroken = errors.New("the log is broken")

func newAudit() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "audit",
		Short: "Verify, search and sum up an audit log",
		Long: `audit reads an audit log: the files that the package audit has written, which are one
chain of records. Name all of them, as in audit*.jsonl; their order does not matter.
"-" is standard input.

Exit status: 0, or 1 where the chain does not hold (what was read up to there is
written all the same), or 2 with one line on standard error for files that cannot be
read and bad flags.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(newAuditVerify(), newAuditFind(), newAuditStats())
	return cmd
}

// auditFlags say what a log is compared with.
type auditFlags struct {
	head, after            string
	secretFiles, secretEnv []string
}

// add declares the flags.
func (f *auditFlags) add(cmd *cobra.Command) {
	fs := cmd.Flags()
	fs.StringVar(&f.head, "head", "", "anchor, as NUMBER:HASH, that was kept elsewhere: the log must still hold that\nrecord, so that an end that was cut off is noticed")
	fs.StringVar(&f.after, "after", "", "the last record, as NUMBER:HASH, of files that were moved away: what is read must\nfollow it (default: it must begin with record 1)")
	fs.StringArrayVar(&f.secretFiles, "secret-file", nil, "secret of a log with an HMAC, as ID=FILE; one line end at its end does not count;\nrepeatable")
	fs.StringArrayVar(&f.secretEnv, "secret-env", nil, "secret of a log with an HMAC, as ID=NAME of an environment variable; repeatable")
}

// check reads the flags.
func (f *auditFlags) check() (c audit.Check, err error) {
	for _, h := range []struct {
		flag, text string
		into       *audit.Head
	}{{"head", f.head, &c.Head}, {"after", f.after, &c.After}} {
		if h.text == "" {
			continue
		}
		if *h.into, err = audit.ParseHead(h.text); err != nil {
			return c, fmt.Errorf("--%s is not of the form NUMBER:HASH, with 64 hexadecimal digits", h.flag)
		}
	}
	for _, s := range f.secretFiles {
		if c.Secrets, err = addSecret(c.Secrets, "secret-file", s, func(from string) schemeFlags { return schemeFlags{secretFile: from} }); err != nil {
			return c, err
		}
	}
	for _, s := range f.secretEnv {
		if c.Secrets, err = addSecret(c.Secrets, "secret-env", s, func(from string) schemeFlags { return schemeFlags{secretEnv: from} }); err != nil {
			return c, err
		}
	}
	return c, nil
}

// addSecret reads a secret from where a flag says it is.
func addSecret(list []audit.Secret, flag, text string, at func(from string) schemeFlags) ([]audit.Secret, error) {
	id, from, ok := strings.Cut(text, "=")
	if !ok || id == "" || from == "" {
		return nil, fmt.Errorf("--%s is not of the form ID=WHERE", flag)
	}
	where := at(from)
	b, err := where.secret()
	if err != nil {
		return nil, err
	}
	s, err := audit.NewSecret(id, b)
	if err != nil {
		return nil, err
	}
	return append(list, s), nil
}

// brokenLog writes where a log is broken, and makes the command's error of that; other
// errors stay what they are.
func brokenLog(cmd *cobra.Command, err error) error {
	var b *audit.BrokenError
	switch {
	case errors.Is(err, audit.ErrSecret):
		return fmt.Errorf("%w: see --secret-file", err)
	case !errors.As(err, &b):
		return err
	}
	name := b.File
	if name == "" {
		name = "standard input"
	}
	what := "broken"
	if b.Torn {
		what = "torn"
	}
	if _, err := fmt.Fprintf(cmd.OutOrStdout(), "%s: %s: line %d, byte %d: record %d: %s\n",
		what, printable(name), b.Line, b.Offset, b.Sequence, b.Reason); err != nil {
		return written(err)
	}
	return errBroken
}

func newAuditVerify() *cobra.Command {
	var on auditFlags
	cmd := &cobra.Command{
		Use:   "verify FILE...",
		Short: "Follow the chain of an audit log and say where it first breaks",
		Long: `verify compares every record with its hash and with the record before it. It writes
how many records there are and the head, which is the anchor to keep elsewhere; or,
with status 1, the first record that is not as it was written. A file that ends in the
middle of a record is "torn", as a kill leaves it: the log repairs that when it is
opened again. So does, for a moment, a log that is being written: verify it again.`,
		Example: `  llmidem audit verify audit*.jsonl
  llmidem audit verify --head 1234:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08 audit*.jsonl
  llmidem audit verify --secret-file k1=audit.secret audit*.jsonl`,
		Args: cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			c, err := on.check()
			if err != nil {
				return err
			}
			return verifyLog(cmd, args, c)
		},
	}
	on.add(cmd)
	return cmd
}

func verifyLog(cmd *cobra.Command, args []string, c audit.Check) error {
	var r audit.Report
	stdin, err := onlyStdin(args)
	switch {
	case err != nil:
		return err
	case stdin:
		r, err = audit.Verify(cmd.Context(), cmd.InOrStdin(), c)
	default:
		r, err = audit.VerifyFiles(cmd.Context(), args, c)
	}
	if err != nil {
		err = brokenLog(cmd, err)
		if !errors.Is(err, errBroken) {
			return err
		}
	}
	if r.Records > 0 {
		word := "whole"
		if err != nil {
			word = "whole before"
		}
		if _, err := fmt.Fprintf(cmd.OutOrStdout(), "%s: records %d to %d, %s to %s\nhead: %s\n", word, r.First, r.Head.Sequence,
			r.Begin.Format(time.RFC3339), r.End.Format(time.RFC3339), r.Head); err != nil {
			return written(err)
		}
	}
	return err
}

// onlyStdin reports whether the arguments are standard input alone.
func onlyStdin(args []string) (bool, error) {
	for _, a := range args {
		if a == "-" {
			if len(args) > 1 {
				return false, errors.New("standard input goes alone: it is all of the log")
			}
			return true, nil
		}
	}
	return false, nil
}
