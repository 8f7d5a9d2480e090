package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"strings"
	"text/tabwriter"

	core "github.com/llmidem/llmidem-go/llmidem"
	"github.com/spf13/cobra"
)

func newConfig() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "config",
		Short: "Check and show the settings of a client",
		Long: `config reads the settings of a client as llmidem.LoadConfig does: from a file, in
YAML, or in JSON where its name ends in .json, and from LLMIDEM_* variables, which
override it. Without a file it reads the variables alone.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(newConfigCheck(), newConfigPrint())
	return cmd
}

func newConfigCheck() *cobra.Command {
	return &cobra.Command{
		Use:   "check [file]",
		Short: "Report all that is wrong with the settings",
		Long: `check reports everything that is wrong with the settings, a line each on standard
error, as file:line:column or the name of the variable and the fix, and ends with
status 2 then. It follows no reference to a secret: those of production need not be
where it runs. What depends on the provider, llmidem.New checks.`,
		Example: `  llmidem config check llmidem.yaml
  LLMIDEM_CACHE_TTL=10m llmidem config check`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			cfg, err := loadConfig(args)
			if err != nil {
				return err
			}
			set := 0
			for _, s := range cfg.Settings() {
				if s.Origin != "default" {
					set++
				}
			}
			_, err = fmt.Fprintf(cmd.OutOrStdout(), "%d settings, nothing wrong\n", set)
			return written(err)
		},
	}
}

func newConfigPrint() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "print [file]",
		Short: "Show every setting as it is in effect, and where it comes from",
		Long: `print shows every setting with its value and where that comes from: default,
file:line:column, or the name of a variable. Secrets are shown as the references that
they are, never followed.`,
		Example: `  llmidem config print llmidem.yaml
  llmidem config print --json`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			cfg, err := loadConfig(args)
			if err != nil {
				return err
			}
			if asJSON {
				return written(writeJSON(cmd.OutOrStdout(), settingsJSON(cfg)))
			}
			return written(writeSettings(cmd.OutOrStdout(), cfg))
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "write one JSON array of {name, value, origin, note}")
	return cmd
}

// loadConfig reads the settings that the arguments name.
func loadConfig(args []string) (core.Config, error) {
	path := ""
	if len(args) > 0 {
		path = args[0]
		if path == "" {
			return core.Config{}, errors.New("the name of the file is empty; leave it out for the variables alone")
		}
	}
	cfg, err := core.LoadConfig(path)
	var unopened *fs.PathError
	if errors.As(err, &unopened) {
		return cfg, unread(printable(path), err)
	}
	return cfg, linesOf(err)
}

// faults are several things that are wrong, each with a line of its own, which begins
// with its place, for editors to go to.
type faults []error

func (f faults) Error() string {
	lines := make([]string, len(f))
	for i, err := range f {
		lines[i] = printable(err.Error())
	}
	return strings.Join(lines, "\n")
}

// linesOf takes a joined error apart.
func linesOf(err error) error {
	if many, ok := err.(interface{ Unwrap() []error }); ok {
		return faults(many.Unwrap())
	}
	return err
}

// writeSettings writes the settings for people.
func writeSettings(out io.Writer, cfg core.Config) error {
	w := tabwriter.NewWriter(out, 0, 8, 2, ' ', 0)
	for _, s := range cfg.Settings() {
		value := printable(s.Value)
		if value == "" {
			value = "-"
		}
		origin := printable(s.Origin)
		if s.Note != "" {
			origin += " (" + s.Note + ")"
		}
		fmt.Fprintf(w, "%s\t%s\t%s\n", s.Name, value, origin)
	}
	return w.Flush()
}

// shownSetting is a setting as JSON.
type shownSetting struct {
	Name   string `json:"name"`
	Value  string `json:"value"`
	Origin string `json:"origin"`
	Note   string `json:"note,omitempty"`
}

func settingsJSON(cfg core.Config) []shownSetting {
	var out []shownSetting
	for _, s := range cfg.Settings() {
		out = append(out, shownSetting(s))
	}
	return out
}
