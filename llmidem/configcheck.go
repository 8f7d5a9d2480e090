package llmidem

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/llmidem/llmidem-go/llmidem/identity"
)

// mostProblems is how many lines LoadConfig's error has at most: a file of another
// kind has an error in every line.
const mostProblems = 50

// checkValues reports what is impossible together, by the checks of New, where the
// values themselves could be read.
func (l *configLoader) checkValues() {
	wrong := map[string]bool{}
	for _, p := range l.problems {
		wrong[p.at.String()] = true
	}
	errs := append(l.cfg.check(), l.cfg.checkExclusions()...)
	for _, err := range errs {
		var fault *optionFault
		if !errors.As(err, &fault) {
			l.problem(origin{file: l.path}, err.Error())
			continue
		}
		name, at := l.cfg.originOf(strings.TrimPrefix(fault.option, "Config."))
		if wrong[at.String()] && at != (origin{}) {
			continue // said already
		}
		text := fieldsAsNames(fault.wrong + "; " + fault.fix)
		if at.env == "" {
			text = name + " " + text
		}
		l.problem(at, text)
	}
}

// originOf is the setting that a field of Config, or a part of it, is, and where it
// was read.
func (c *Config) originOf(field string) (name string, at origin) {
	for _, s := range settingNames {
		if s.field != field && !strings.HasPrefix(s.field, field+".") {
			continue
		}
		if o, ok := c.from[s.name]; ok {
			return s.name, o
		}
		name = s.name
	}
	return name, origin{}
}

// word is what may be the name of a field in what New says.
var word = regexp.MustCompile(`[A-Za-z0-9.]*[A-Za-z0-9]`)

// fieldsAsNames puts the names of settings in place of those of fields.
func fieldsAsNames(text string) string {
	return word.ReplaceAllStringFunc(text, func(field string) string {
		if s, ok := settingNamed(field, inProgram); ok {
			return s.name
		}
		return field
	})
}

// checkExclusions reports exclusions that no provider's rules allow; what the rules
// of one refuse is New's to say.
func (c Config) checkExclusions() (errs []error) {
	rules := identity.Rules{Routes: []identity.Route{{Suffix: "/", Operation: "any"}}}
	for _, path := range c.ExcludedFields {
		var refusal *identity.Refusal
		if err := rules.Validate([]string{path}); errors.As(err, &refusal) {
			errs = append(errs, optionError("Config.ExcludedFields", "cannot be: "+refusal.Reason, "name members that do not change the answer, by their dotted path"))
		}
	}
	return errs
}

// err is everything that is wrong: the file from top to bottom, then the environment.
func (l *configLoader) err() error {
	slices.SortStableFunc(l.problems, func(a, b configProblem) int { return a.at.compare(b.at) })
	var errs []error
	for i, p := range l.problems {
		if i == mostProblems {
			errs = append(errs, fmt.Errorf("llmidem: LoadConfig: %d more are wrong", len(l.problems)-i))
			break
		}
		errs = append(errs, errors.New(p.at.String()+": "+p.text))
	}
	return errors.Join(errs...)
}
