package main

import (
	"fmt"

	"github.com/llmidem/llmidem-go/llmidem/identity"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

func newKey() *cobra.Command {
	var (
		on     callFlags
		scheme schemeFlags
		check  checkFlags
		calls  bool
	)
	cmd := &cobra.Command{
		Use:   "key [file]",
		Short: "Print the key of a request body",
		Long: `key prints the key of the request body in the file, or on standard input.

With --calls it reads whole calls instead, one JSON value a line, in the form of the
specification's test vectors: {"profile","route","headers","body","options"}. For each
it writes one line at once: {"canonical","sha256","uuid5","hmac"}, or {"refused"} with
the code of the reason. A refusal is an answer; only a line that is no call at all ends
the command with status 2.

With --check it reads keys instead, one a line, and reports the ones that are not of
the form which --scheme and --prefix say, with their line numbers; the status is 1
then. Keys are not repeated: they may be credentials in the wrong place.`,
		Example: `  llmidem key request.json
  llmidem key --provider anthropic --header 'anthropic-version: 2023-06-01' < request.json
  llmidem key --route /v1/embeddings --scope nightly --occurrence 2 request.json
  llmidem key --exclude metadata.span --exclude request_id request.json
  llmidem key --provider gemini --route /v1beta/models/gemini-2.5-flash:generateContent request.json
  llmidem key --scheme uuid5 --namespace 6ba7b810-9dad-11d1-80b4-00c04fd430c8 request.json
  llmidem key --scheme hmac --secret-file secret request.json
  llmidem key --calls < calls.jsonl
  llmidem key --check --prefix acme_ < keys.txt
  llmidem key --check --scheme any --prefix order- --max-len 64 keys.txt`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			for _, flag := range []string{"min-len", "max-len"} {
				if cmd.Flags().Changed(flag) && !check.check {
					return fmt.Errorf("--%s is for --check", flag)
				}
			}
			if check.check {
				return runCheck(cmd, args, &check, &scheme)
			}
			if calls {
				return runCalls(cmd, args)
			}
			return runKey(cmd, args, &on, &scheme)
		},
	}
	on.add(cmd)
	scheme.add(cmd)
	check.add(cmd)
	cmd.Flags().BoolVar(&calls, "calls", false, "read calls in the form of the test vectors, one a line, and write an answer a line")
	return cmd
}

func runKey(cmd *cobra.Command, args []string, on *callFlags, scheme *schemeFlags) error {
	t, err := on.target()
	if err != nil {
		return err
	}
	s, err := scheme.build(cmd)
	if err != nil {
		return err
	}
	name, body, err := read(cmd, args, 0)
	if err != nil {
		return err
	}
	k, err := t.rules.Key(identity.Request{Path: t.route, Header: t.header, Body: body}, t.call, s)
	if err != nil {
		return refused(name, err)
	}
	_, err = fmt.Fprintln(cmd.OutOrStdout(), k)
	return written(err)
}

func runCalls(cmd *cobra.Command, args []string) error {
	var other error
	cmd.Flags().Visit(func(f *pflag.Flag) {
		if f.Name != "calls" {
			other = fmt.Errorf("--%s does not go with --calls: every line says it for itself", f.Name)
		}
	})
	if other != nil {
		return other
	}
	in, err := open(cmd, args, 0)
	if err != nil {
		return err
	}
	defer in.Close()
	return answerCalls(in.name, in, cmd.OutOrStdout())
}
