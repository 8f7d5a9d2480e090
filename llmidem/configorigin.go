package llmidem

import (
	"cmp"
	"errors"
	"reflect"
	"strconv"
	"strings"

	"github.com/llmidem/llmidem-go/llmidem/internal/conffile"
)

// origin is where LoadConfig found a setting, and what it was then.
type origin struct {
	file  string
	at    conffile.Place
	env   string
	value any
}

// origins are those of a Config, by the settings' names.
type origins map[string]origin

// String returns file:line:column, or the name of the variable.
func (o origin) String() string {
	switch {
	case o.env != "":
		return conffile.Quote(o.env) // it may be no name at all
	case o.at == conffile.Place{}:
		return o.file
	}
	return o.file + ":" + strconv.Itoa(o.at.Line) + ":" + strconv.Itoa(o.at.Column)
}

// compare puts the places of a file in order, and the environment behind them.
func (o origin) compare(p origin) int {
	return cmp.Or(cmp.Compare(o.env, p.env), cmp.Compare(o.at.Line, p.at.Line), cmp.Compare(o.at.Column, p.at.Column))
}

// loaded returns where a setting was read, if the program has not changed it since.
func (c *Config) loaded(s setting) (origin, bool) {
	o, ok := c.from[s.name]
	return o, ok && reflect.DeepEqual(o.value, s.of(c).Interface())
}

// mergeOrigins takes over where the settings of o were read. What was read counts
// also where it is false: that was said, not left out.
func (c *Config) mergeOrigins(o Config) {
	for _, s := range settingNames {
		if from, ok := o.loaded(s); ok {
			if c.from == nil {
				c.from = origins{}
			}
			c.from[s.name] = from
			s.of(c).Set(s.of(&o))
		} else if !s.of(&o).IsZero() {
			delete(c.from, s.name)
		}
	}
}

// placed is where a field was read, as it stands in a message.
func (c *Config) placed(field string) string {
	if _, o := c.originOf(field); o.value != nil {
		return " (" + o.String() + ")"
	}
	return ""
}

// locate says in New's errors where the options were read.
func (c *Config) locate(errs []error) {
	for _, err := range errs {
		var fault *optionFault
		if !errors.As(err, &fault) {
			continue
		}
		if field, ok := strings.CutPrefix(fault.option, "Config."); ok {
			fault.place = c.placed(field)
		}
	}
}

// A Setting is one field of a [Config] as it is in effect.
type Setting struct {
	// Name is its name in files, as in retry.max_attempts.
	Name string
	// Value is what a file would say; "" for nothing. Secrets are references.
	Value string
	// Origin is where it comes from: "default", file:line:column, the name of a
	// variable, or "program".
	Origin string
	// Note says of a default what it depends on, or what it means; "" for nothing.
	Note string
}

// Settings returns all settings as they are in effect when c is the only option, in
// a fixed order. What depends on the provider or the store is said in notes.
func (c Config) Settings() []Setting {
	eff := c.withDefaults()
	if eff.Drain.on() {
		eff.Drain = eff.Drain.withDefaults(eff)
	}
	out := make([]Setting, 0, len(settingNames))
	for _, s := range settingNames {
		one := Setting{Name: s.name, Value: valueText(s.of(&eff)), Origin: "default"}
		from, loaded := c.loaded(s)
		switch {
		case loaded:
			one.Origin = from.String()
		case !s.of(&c).IsZero():
			one.Origin = "program"
		case s.field == "KeyPrefix" && c.Scheme == "uuid5":
			one.Note = "uuid5 keys have none"
		case one.Value == "":
			one.Value, one.Note = s.unset, s.note
		case s.field == "CacheTTL":
			one.Note = s.note
		}
		out = append(out, one)
	}
	return out
}
