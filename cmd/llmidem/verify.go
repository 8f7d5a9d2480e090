package main

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"os/signal"

	"github.com/spf13/cobra"
)

// verifyHelp documents what programs read: member names, results and statuses.
const verifyHelp = `verify sends short chats to a service and says which class it is, with evidence:

  replay   a repeated key gets the first answer
  reject   a repeated key is refused
  ignore   a repeated key is executed, and billed, again
  unknown  what came back does not tell, or contradicts itself

It asks: under a new key; the same again, and the same body under another key, which
tells a replay from a second execution that comes to the same and from a cache;
another body under the used key; a new key twice at once; a new key whose connection
is cut, and again; and, where the service looks at keys, keys of other forms. What
it found is proved, likely or not told. The calls are billed: a notice on standard
error says what they cost at most, and on a terminal waits for a yes, without --yes.

The credential is read from the environment alone, and never shown, and neither are
the texts of the service, but for the codes of its errors. No redirect is followed.

--json writes url, provider, dialect, model, key_header, calls, max_calls; class,
degree ("proved", "likely", "not told") and reason; expect and met; probes, each with
probe ("first key", "same key", "other key", "other body", "at once", "cut", "form"),
did, got, result, degree and says; forms, each with form, length, quoted and result
("accepted", "refused", "unknown"); and go, the provider to give to llmidem.New.
Results: of "first key" and "form" accepted, refused; of "same key" the class; of
"other key" other_answer, same_text, same_answer; of "other body" conflict, replays,
executes; of "at once" refuses, waits, executes; of "cut" replays, refuses,
in_progress, executes; of all, unknown.

Exit status: 0, or 1 where the class is not the one of --expect, or 2 for bad flags,
or 3 where the service could not be asked, the command was interrupted, or the class
is unknown and none expected.`

// newVerify is the command; its requests go out over rt.
func newVerify(rt http.RoundTripper) *cobra.Command {
	var f verifyFlags
	cmd := &cobra.Command{
		Use:   "verify --base-url URL --model M",
		Short: "Ask a service what it does with idempotency keys",
		Long:  verifyHelp,
		Example: `  llmidem verify --base-url https://api.openai.com/v1 --model gpt-4o-mini
  llmidem verify --base-url https://gateway.example.com/v1 --model small --expect replay --yes --json
  llmidem verify --base-url http://localhost:11434 --model llama3.2 --max-calls 5
  llmidem verify --base-url https://gateway.example.com/v1 --model small --api-key-env GATEWAY_KEY \
    --key-header X-Idempotency-Key --header 'X-Route: eu' --header-env 'X-Team-Token=TEAM_TOKEN'`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return runVerify(cmd, &f, rt) },
	}
	f.add(cmd)
	return cmd
}

func runVerify(cmd *cobra.Command, f *verifyFlags, rt http.RoundTripper) error {
	p, keyFrom, err := f.prober(rt)
	if err != nil {
		return err
	}
	fmt.Fprint(cmd.ErrOrStderr(), p.notice(keyFrom))
	if !f.yes {
		if err := agree(cmd.InOrStdin(), cmd.ErrOrStderr()); err != nil {
			return err
		}
	}
	ctx, stop := signal.NotifyContext(cmd.Context(), os.Interrupt)
	defer stop()
	return verify(ctx, cmd, f, p)
}

// verify runs the probes and writes what they found.
func verify(ctx context.Context, cmd *cobra.Command, f *verifyFlags, p *prober) error {
	s := session{prober: p}
	if err := s.run(ctx); err != nil {
		return err
	}
	r := s.report(f.expect)
	var err error
	if f.asJSON {
		err = writeJSON(cmd.OutOrStdout(), r)
	} else {
		err = r.write(cmd.OutOrStdout())
	}
	switch {
	case err != nil:
		return written(err)
	case !r.Met:
		return fmt.Errorf("%w: expected %s, found %s", errUnmet, r.Expect, r.Class)
	case r.Class == unknown:
		return &unasked{"the class is unknown: " + r.Reason}
	}
	return nil
}
