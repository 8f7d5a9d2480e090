package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"

	"github.com/llmidem/llmidem-go/llmidem/identity"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// errBadKeys ends key --check with statusDiffer; the lines it wrote are its message.
var errBadKeys = errors.New("some keys are not of the form")

// checkFlags say which form keys must have, beside those of a scheme.
type checkFlags struct {
	check          bool
	minLen, maxLen int
}

// add declares the flags.
func (f *checkFlags) add(cmd *cobra.Command) {
	fs := cmd.Flags()
	fs.BoolVar(&f.check, "check", false, "read keys, one a line, and report those that --scheme could not have made;\n--scheme any takes callers' own, --prefix '' any prefix")
	fs.IntVar(&f.minLen, "min-len", 0, "with --check: the shortest key, in bytes")
	fs.IntVar(&f.maxLen, "max-len", 0, "with --check: the longest key, in bytes; no key has more than 255")
}

// ofCheck are the flags that go with --check.
var ofCheck = map[string]bool{"check": true, "scheme": true, "prefix": true, "min-len": true, "max-len": true}

// policy is the form that the flags say.
func (f *checkFlags) policy(cmd *cobra.Command, scheme *schemeFlags) (p identity.Policy, err error) {
	cmd.Flags().Visit(func(flag *pflag.Flag) {
		if !ofCheck[flag.Name] && err == nil {
			err = fmt.Errorf("--%s does not go with --check: the keys are there already", flag.Name)
		}
	})
	if err != nil {
		return p, err
	}
	p = identity.Policy{Scheme: scheme.scheme, Prefix: scheme.prefix, MinLen: f.minLen, MaxLen: f.maxLen}
	if given := cmd.Flags().Changed("prefix"); !given && p.Scheme != "sha256" && p.Scheme != "hmac" {
		p.Prefix = ""
	}
	switch p.Scheme {
	case "any":
		p.Scheme = ""
	case "": // which the policy would take for any
		return p, errors.New(`no scheme "": it is one of sha256, uuid5, hmac, any`)
	}
	return p, p.Err()
}

// runCheck reports the keys of the input that break the form.
func runCheck(cmd *cobra.Command, args []string, f *checkFlags, scheme *schemeFlags) error {
	policy, err := f.policy(cmd, scheme)
	if err != nil {
		return err
	}
	in, err := open(cmd, args, 0)
	if err != nil {
		return err
	}
	defer in.Close()
	return checkKeys(in.name, in, cmd.OutOrStdout(), policy)
}

// checkKeys writes a line for each key that breaks the form: where, and why. It does
// not repeat the key, which may be a credential in the wrong place.
func checkKeys(name string, in io.Reader, out io.Writer, policy identity.Policy) error {
	r := bufio.NewReaderSize(in, 4<<10) // a key has 255 bytes at most
	w := bufio.NewWriter(out)
	bad := false
	for n := 1; ; n++ {
		key, long, err := readLine(r)
		if err != nil && !errors.Is(err, io.EOF) {
			return unread(name, err)
		}
		if err != nil && key == "" {
			break
		}
		_, wrong := policy.Parse(key)
		if long {
			wrong = &identity.KeyError{Fault: identity.FaultLength, Offset: -1, Reason: "more than 4096 bytes"}
		}
		if wrong != nil {
			bad = true
			if _, err := fmt.Fprintf(w, "%s:%d: %v\n", name, n, wrong); err != nil {
				return written(err)
			}
		}
		if err != nil {
			break
		}
	}
	if err := w.Flush(); err != nil {
		return written(err)
	}
	if bad {
		return errBadKeys
	}
	return nil
}

// readLine returns the next line without its end, or its beginning where it is longer
// than the reader's buffer. Memory does not grow with a line.
func readLine(r *bufio.Reader) (line string, long bool, err error) {
	b, err := r.ReadSlice('\n')
	line = string(b)
	for errors.Is(err, bufio.ErrBufferFull) {
		long = true
		_, err = r.ReadSlice('\n')
	}
	if n := len(line); n > 0 && line[n-1] == '\n' {
		line = line[:n-1]
		if n > 1 && line[n-2] == '\r' {
			line = line[:n-2]
		}
	}
	return line, long, err
}
