package llmidem

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/llmidem/llmidem-go/llmidem/internal/conffile"
)

// LoadConfig reads settings from a file (YAML, or JSON where its name ends in .json)
// and from the environment, which overrides the file. An empty path means the
// environment alone. The result goes to [New] among the options.
//
// Names are those of the fields in lower case with underscores, groups being nested
// or joined by dots: cache_ttl, retry.max_attempts. In the environment they are
// LLMIDEM_CACHE_TTL, LLMIDEM_RETRY_MAX_ATTEMPTS; a variable that is empty counts as
// not set, and lists are separated by commas. Times have units, as in 10m; sizes are
// bytes or have units, as in 64MiB. Where 0 would stand for the default it is
// refused; a false that is written down overrides the options before. Secrets, and a
// URL that holds one, are references: env:NAME or file:PATH, a path in a file being
// relative to it. LoadConfig does not follow them.
//
// The error joins all that is wrong, unknown names and variables among it, one line
// each: file:line:column, or the variable, then the fix. [errors.As] finds the
// [fs.PathError] of a file that cannot be read. A file is at most 256 KiB, and
// aliases of YAML are refused. Variables that begin with LLMIDEM_TEST_ are left
// alone, and so are those that a reference names.
//
// Where the program changes a field afterwards, that counts.
func LoadConfig(path string) (Config, error) {
	return loadConfig(path, os.Environ())
}

func loadConfig(path string, environ []string) (Config, error) {
	l := &configLoader{path: path}
	l.cfg.from = origins{}
	if path != "" {
		data, err := readConfig(path)
		if err != nil {
			return Config{}, fmt.Errorf("llmidem: LoadConfig: %w", err)
		}
		l.readFile(data)
	}
	l.readEnviron(environ)
	l.checkValues()
	if err := l.err(); err != nil {
		return Config{}, err
	}
	for name, o := range l.cfg.from {
		s, _ := settingNamed(name, inFile)
		o.value = s.of(&l.cfg).Interface()
		l.cfg.from[name] = o
	}
	return l.cfg, nil
}

// readConfig reads a file that is one: what is no file might never end.
func readConfig(path string) ([]byte, error) {
	if info, err := os.Stat(path); err != nil {
		return nil, err
	} else if !info.Mode().IsRegular() {
		return nil, &fs.PathError{Op: "open", Path: path, Err: errors.New("this is no file")}
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return io.ReadAll(io.LimitReader(f, conffile.MaxBytes+1))
}

// configLoader adds up what a file and the environment say.
type configLoader struct {
	path     string
	cfg      Config
	problems []configProblem
}

// configProblem is one line of LoadConfig's error.
type configProblem struct {
	at   origin
	text string
}

func (l *configLoader) problem(at origin, text string) {
	l.problems = append(l.problems, configProblem{at, text})
}

// readFile takes the settings of the file.
func (l *configLoader) readFile(data []byte) {
	entries, problems := conffile.Read(data, strings.EqualFold(filepath.Ext(l.path), ".json"))
	for _, p := range problems {
		l.problem(origin{file: l.path, at: p.At}, p.Text)
	}
	for _, e := range entries {
		s, ok := settingNamed(e.Name, inFile)
		if !ok {
			l.problem(origin{file: l.path, at: e.At}, unknown(e.Name))
			continue
		}
		at := origin{file: l.path, at: e.Value.At}
		l.cfg.from[s.name] = at
		if err := setValue(s.of(&l.cfg), e.Value); err != nil {
			l.problem(at, s.name+" "+err.Error())
		}
	}
	l.cfg.Store = besideFile(l.cfg.Store, l.path)
	l.cfg.SchemeSecret = besideFile(l.cfg.SchemeSecret, l.path)
}

// unknown says what a name that is no setting may have been meant to be.
func unknown(name string) string {
	var group []string
	for _, s := range settingNames {
		if strings.HasPrefix(s.name, name+".") {
			group = append(group, s.name)
		}
	}
	if len(group) > 0 {
		return name + " is a group of settings: " + strings.Join(group, ", ")
	}
	for at := range name {
		if s, ok := settingNamed(name[:at], inFile); ok && name[at] == '.' {
			return s.name + " is one value, no group of settings"
		}
	}
	text := "there is no setting " + conffile.Quote(name)
	if known := nearest(name, inFile); known != "" {
		return text + "; did you mean " + known + "?"
	}
	return text + "; llmidem config print lists them"
}

// readEnviron takes the settings of the environment. They come sorted, so that the
// error is the same each time.
func (l *configLoader) readEnviron(environ []string) {
	vars := map[string]string{}
	for _, v := range environ {
		if name, value, ok := strings.Cut(v, "="); ok && strings.HasPrefix(name, envPrefix) && !strings.HasPrefix(name, envTests) && value != "" {
			vars[name] = value
		}
	}
	var others []string
	for _, name := range slices.Sorted(maps.Keys(vars)) {
		s, ok := settingNamed(name, setting.env)
		if !ok {
			others = append(others, name)
			continue
		}
		l.cfg.from[s.name] = origin{env: name}
		field := s.of(&l.cfg)
		if err := setValue(field, envValue(field, vars[name])); err != nil {
			l.problem(origin{env: name}, err.Error())
		}
	}
	for _, name := range others {
		if name == referredVariable(l.cfg.Store) || name == referredVariable(l.cfg.SchemeSecret) {
			continue
		}
		text := "there is no such setting"
		if known := nearest(name, setting.env); known != "" {
			text += "; did you mean " + known + "?"
		} else {
			text += "; llmidem config print lists them; name it without " + envPrefix + " if it is of your own"
		}
		l.problem(origin{env: name}, text)
	}
}
