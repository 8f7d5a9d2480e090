package main

import (
	"bufio"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
)

// report is what verify found, as JSON. Members are never left out; text of the
// service is not among them, but for the codes of its errors.
type report struct {
	URL       string      `json:"url"`
	Provider  string      `json:"provider"`
	Dialect   string      `json:"dialect"`
	Model     string      `json:"model"`
	KeyHeader string      `json:"key_header"`
	Calls     int         `json:"calls"`
	MaxCalls  int         `json:"max_calls"`
	Class     string      `json:"class"`
	Degree    degree      `json:"degree"`
	Reason    string      `json:"reason"`
	Expect    string      `json:"expect"`
	Met       bool        `json:"met"`
	Probes    []probeJSON `json:"probes"`
	Forms     []formJSON  `json:"forms"`
	Go        string      `json:"go"`
}

type probeJSON struct {
	Probe  string `json:"probe"`
	Did    string `json:"did"`
	Got    string `json:"got"`
	Result string `json:"result"`
	Degree degree `json:"degree"`
	Says   string `json:"says"`
}

type formJSON struct {
	Form   string `json:"form"`
	Length int    `json:"length"`
	Quoted bool   `json:"quoted"`
	Result string `json:"result"`
}

// report puts together what was found.
func (s *session) report(expect string) report {
	r := report{
		URL: shown(s.url), Provider: s.service.flag, Dialect: s.dialect.name, Model: s.model, KeyHeader: s.keyHeader,
		Calls: s.calls, MaxCalls: s.maxCalls, Class: s.class.result, Degree: s.class.degree, Reason: s.class.says,
		Expect: expect, Met: expect == "" || expect == s.class.result,
		Probes: []probeJSON{}, Forms: []formJSON{}, Go: s.code(),
	}
	for _, x := range s.rows {
		r.Probes = append(r.Probes, probeJSON{x.name, x.did, x.got, x.result, x.degree, x.says})
	}
	for _, f := range s.forms {
		r.Forms = append(r.Forms, formJSON{f.name, f.length(), f.quoted, f.result})
	}
	return r
}

// write writes the report for people.
func (r report) write(out io.Writer) error {
	b := bufio.NewWriter(out)
	w := tabwriter.NewWriter(b, 0, 8, 2, ' ', 0)
	fmt.Fprintln(w, "PROBE\tWHAT WAS SENT\tWHAT CAME BACK\tWHAT IT SAYS")
	for _, p := range r.Probes {
		fmt.Fprintf(w, "%s\t%s\t%s\t%s (%s): %s\n", p.Probe, p.Did, p.Got, p.Result, p.Degree, p.Says)
	}
	if err := w.Flush(); err != nil {
		return err
	}
	fmt.Fprintf(b, "\nclass     %s (%s): %s\n", r.Class, r.Degree, r.Reason)
	if r.Expect != "" {
		fmt.Fprintf(b, "expected  %s: %s\n", r.Expect, map[bool]string{true: "met", false: "not met"}[r.Met])
	}
	fmt.Fprintf(b, "calls     %d of at most %d\n", r.Calls, r.MaxCalls)
	if r.Go != "" {
		fmt.Fprintf(b, "in Go     %s\n", strings.ReplaceAll(r.Go, "\n", "\n          "))
	}
	return b.Flush()
}
