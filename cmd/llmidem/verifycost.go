package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"golang.org/x/term"
)

// promptTokens is what one prompt counts for in the estimate.
const promptTokens = 50

// notice says what the probes may cost, before the first is sent.
func (p *prober) notice(keyFrom string) string {
	credential := "no credential"
	if keyFrom != "" {
		credential = "the credential in " + keyFrom
	}
	if strings.HasPrefix(p.url, "http:") {
		credential += " and without TLS"
	}
	return fmt.Sprintf("verify: at most %d requests to %s, with %s, for a short text of %s each;\n"+
		"verify: at most about %d tokens in and %d out, which are billed\n",
		p.maxCalls, printable(shown(p.url)), credential, printable(p.model), p.maxCalls*promptTokens, p.maxCalls*p.tokens)
}

// agree asks whoever sits before a terminal to go on. Elsewhere nobody is asked: a
// pipeline that runs the command means it.
func agree(in io.Reader, out io.Writer) error {
	if !terminal(in) || !terminal(out) {
		return nil
	}
	return confirm(in, out)
}

// confirm asks.
func confirm(in io.Reader, out io.Writer) error {
	fmt.Fprint(out, "Go on? [y/N] ")
	line, err := bufio.NewReader(in).ReadString('\n')
	if err != nil && !errors.Is(err, io.EOF) {
		return unread("standard input", err)
	}
	switch strings.ToLower(strings.TrimSpace(line)) {
	case "y", "yes":
		return nil
	}
	return errors.New("nothing was asked; --yes goes on without the question")
}

func terminal(v any) bool {
	f, ok := v.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}
