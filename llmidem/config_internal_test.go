package llmidem

import (
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/llmidem/llmidem-go/llmidem/identity"
)

// configFields are all fields that a Config has, by path.
func configFields(t reflect.Type, prefix string) (paths []string) {
	for i := range t.NumField() {
		f := t.Field(i)
		switch {
		case !f.IsExported():
		case f.Type.Kind() == reflect.Struct:
			paths = append(paths, configFields(f.Type, prefix+f.Name+".")...)
		default:
			paths = append(paths, prefix+f.Name)
		}
	}
	return paths
}

func TestConfig_EveryFieldHasAName(t *testing.T) {
	var named, names, envs []string
	for _, s := range settingNames {
		named, names, envs = append(named, s.field), append(names, s.name), append(envs, s.env())
		require.Regexp(t, `^[a-z][a-z_]*(\.[a-z_]+)?$`, s.name)
	}
	require.ElementsMatch(t, configFields(reflect.TypeFor[Config](), ""), named,
		"a field without a line in settingNames cannot be loaded or shown")
	for _, list := range [][]string{names, envs} {
		slices.Sort(list)
		require.Equal(t, slices.Compact(slices.Clone(list)), list, "two settings of one name")
	}
}

// samples are a value for each setting that differs from its default, as a file, and
// as the environment has it.
var samples = map[string]struct {
	yaml, env string
	want      any
}{
	"header_name":         {`X-Request-Key`, `X-Request-Key`, "X-Request-Key"},
	"key_prefix":          {`acme_`, `acme_`, "acme_"},
	"scheme":              {`hmac`, `hmac`, "hmac"},
	"scheme_namespace":    {`8a7c0e9e-5d9e-4f7e-9f0a-0d8f3b1c2d3e`, `8a7c0e9e-5d9e-4f7e-9f0a-0d8f3b1c2d3e`, "8a7c0e9e-5d9e-4f7e-9f0a-0d8f3b1c2d3e"},
	"scheme_secret":       {`env:SECRET`, `env:SECRET`, "env:SECRET"},
	"key_policy.scheme":   {`hmac`, `hmac`, "hmac"},
	"key_policy.prefix":   {`acme_`, `acme_`, "acme_"},
	"key_policy.min_len":  {`20`, `20`, 20},
	"key_policy.max_len":  {`99`, `99`, 99},
	"excluded_fields":     {`[span, "metadata.id"]`, `span, metadata.id`, []string{"span", "metadata.id"}},
	"namespace":           {`billing`, `billing`, "billing"},
	"tenant":              {`"42"`, `42`, "42"},
	"store":               {`redis://cache:6379/0`, `redis://cache:6379/0`, "redis://cache:6379/0"},
	"cache_ttl":           {`90m`, `1h30m`, 90 * time.Minute},
	"cache_capacity":      {`500`, `500`, 500},
	"cache_bytes":         {`16MiB`, `16777216`, int64(16 << 20)},
	"recall":              {`off`, `off`, RecallOff},
	"retry.max_attempts":  {`3`, `3`, 3},
	"retry.max_ambiguous": {`1`, `1`, 1},
	"retry.base_delay":    {`50ms`, `50ms`, 50 * time.Millisecond},
	"retry.max_hint":      {`30s`, `30s`, 30 * time.Second},
	"retry.elapsed":       {`2m`, `2m`, 2 * time.Minute},
	"retry.budget":        {`7`, `7`, 7},
	"retry.refill":        {`0.5`, `5e-1`, 0.5},
	"on_ambiguous":        {`fail`, `fail`, Fail},
	"on_unknown":          {`fail`, `fail`, Fail},
	"store_down":          {`refuse`, `refuse`, Refuse},
	"store_timeout":       {`2s`, `2s`, 2 * time.Second},
	"accept_store_loss":   {`true`, `true`, true},
	"detach_limit":        {`1m`, `1m`, time.Minute},
	"drain.bytes":         {`1048576`, `1 MiB`, int64(1 << 20)},
	"drain.time":          {`10s`, `10s`, 10 * time.Second},
	"tolerate_truncation": {`true`, `true`, true},
	"max_body":            {`1GiB`, `1GiB`, int64(1 << 30)},
	"pass_over_max_body":  {`true`, `true`, true},
	"max_entry":           {`512KiB`, `512KiB`, int64(512 << 10)},
	"max_flights":         {`100`, `100`, 100},
	"strict":              {`true`, `true`, true},
}

// needs are what a setting cannot be without.
var needs = map[string]string{"scheme": "scheme_secret", "scheme_secret": "scheme", "scheme_namespace": "scheme"}

// jsonOf is a sample as JSON has it.
func jsonOf(yaml string) string {
	if plain := regexp.MustCompile(`^([0-9.]+|true|".*")$`); plain.MatchString(yaml) {
		return yaml
	}
	if strings.HasPrefix(yaml, "[") {
		return `["span", "metadata.id"]`
	}
	return `"` + yaml + `"`
}

func writeConfig(t testing.TB, name, text string) string {
	path := filepath.Join(t.TempDir(), name)
	require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
	return path
}

func TestConfig_EveryFieldFromEverySource(t *testing.T) {
	for _, s := range settingNames {
		sample, ok := samples[s.name]
		require.True(t, ok, "%s has no sample", s.name)
		lines := [][3]string{{s.name, sample.yaml, sample.env}}
		if other := needs[s.name]; other != "" {
			lines = append(lines, [3]string{other, samples[other].yaml, samples[other].env})
		}
		if s.name == "scheme_namespace" {
			lines[1][1], lines[1][2] = "uuid5", "uuid5"
		}
		t.Run(s.name, func(t *testing.T) {
			var flat, nested, json, env []string
			for _, l := range lines {
				flat = append(flat, l[0]+": "+l[1])
				group, last, ok := strings.Cut(l[0], ".")
				if ok {
					nested = append(nested, group+":\n  "+last+": "+l[1])
					json = append(json, fmt.Sprintf("%q: {%q: %s}", group, last, jsonOf(l[1])))
				} else {
					nested = append(nested, l[0]+": "+l[1])
					json = append(json, fmt.Sprintf("%q: %s", l[0], jsonOf(l[1])))
				}
				env = append(env, "LLMIDEM_"+strings.ToUpper(strings.ReplaceAll(l[0], ".", "_"))+"="+l[2])
			}
			paths := map[string]string{
				"flat":   writeConfig(t, "c.yaml", strings.Join(flat, "\n")),
				"nested": writeConfig(t, "c.yml", strings.Join(nested, "\n")),
				"json":   writeConfig(t, "c.JSON", "{"+strings.Join(json, ",\n")+"}"),
			}
			for name, path := range paths {
				cfg, err := loadConfig(path, nil)
				require.NoError(t, err, name)
				require.Equal(t, sample.want, s.of(&cfg).Interface(), name)
				requireOrigin(t, cfg, s.name, path+":1:")
			}
			cfg, err := loadConfig("", env)
			require.NoError(t, err)
			require.Equal(t, sample.want, s.of(&cfg).Interface())
			requireOrigin(t, cfg, s.name, s.env())
			// What is shown can be written into a file again.
			shown := cfg.setting(t, s.name).Value
			text := s.name + ": " + shown
			if s.name == "tenant" {
				text = s.name + `: "` + shown + `"`
			}
			for _, l := range lines[1:] {
				text += "\n" + l[0] + ": " + l[1]
			}
			again, err := loadConfig(writeConfig(t, "again.yaml", text), nil)
			require.NoError(t, err, text)
			require.Equal(t, sample.want, s.of(&again).Interface())
			// And the options of New take it over.
			var set settings
			cfg.apply(&set)
			require.Equal(t, sample.want, s.of(&set.cfg).Interface(), "merge does not know the field")
		})
	}
}

func (c Config) setting(t *testing.T, name string) Setting {
	for _, s := range c.Settings() {
		if s.Name == name {
			return s
		}
	}
	require.Fail(t, "no setting "+name)
	return Setting{}
}

func requireOrigin(t *testing.T, cfg Config, name, origin string) {
	t.Helper()
	got := cfg.setting(t, name).Origin
	if strings.HasSuffix(origin, ":1:") { // nested ones are on the second line
		require.Regexp(t, "^"+regexp.QuoteMeta(strings.TrimSuffix(origin, "1:"))+`[12]:\d+$`, got)
		return
	}
	require.Equal(t, origin, got)
}

func TestConfig_OriginsAndPrecedence(t *testing.T) {
	path := writeConfig(t, "c.yaml", "cache_ttl: 1h\nstrict: true\ntolerate_truncation: false\nretry:\n  budget: 5\n")
	cfg, err := loadConfig(path, []string{"LLMIDEM_STRICT=false", "LLMIDEM_RETRY_MAX_ATTEMPTS=9", "LLMIDEM_RECALL=", "LLMIDEM_TEST_X=1", "LLMIDEMCACHE=1", "OTHER=1"})
	require.NoError(t, err)
	require.False(t, cfg.Strict, "the environment comes after the file")
	want := map[string]Setting{
		"cache_ttl":           {"cache_ttl", "1h", path + ":1:12", ""},
		"strict":              {"strict", "false", "LLMIDEM_STRICT", ""},
		"tolerate_truncation": {"tolerate_truncation", "false", path + ":3:22", ""},
		"retry.budget":        {"retry.budget", "5", path + ":5:11", ""},
		"retry.max_attempts":  {"retry.max_attempts", "9", "LLMIDEM_RETRY_MAX_ATTEMPTS", ""},
		"recall":              {"recall", "always", "default", ""},
		"max_body":            {"max_body", "128MiB", "default", ""},
		"tenant":              {"tenant", "", "default", "by credentials"},
	}
	for name, s := range want {
		require.Equal(t, s, cfg.setting(t, name))
	}
	cfg.CacheTTL = time.Minute
	require.Equal(t, Setting{"cache_ttl", "1m", "program", ""}, cfg.setting(t, "cache_ttl"))

	// A false that was written down overrides; one that was left out does not.
	var set settings
	Config{Strict: true, TolerateTruncation: true, CacheTTL: time.Hour}.apply(&set)
	Config{}.apply(&set)
	require.True(t, set.cfg.Strict)
	cfg.apply(&set)
	require.False(t, set.cfg.Strict)
	require.False(t, set.cfg.TolerateTruncation)
	require.Equal(t, time.Minute, set.cfg.CacheTTL)
	require.Equal(t, "", set.cfg.placed("CacheTTL"), "the program set it last")
	require.Equal(t, " (LLMIDEM_STRICT)", set.cfg.placed("Strict"))
}

func TestConfig_SettingsOfNothing(t *testing.T) {
	for _, s := range (Config{}).Settings() {
		require.Equal(t, "default", s.Origin)
		require.False(t, s.Value == "" && s.Note == "" && s.Name != "scheme_namespace" && s.Name != "scheme_secret", s.Name)
	}
	require.Equal(t, Setting{"drain.bytes", "8MiB", "default", ""}, Config{Drain: Drain{Time: time.Second}}.setting(t, "drain.bytes"))
	require.Equal(t, Setting{"key_prefix", "", "default", "uuid5 keys have none"}, Config{Scheme: "uuid5"}.setting(t, "key_prefix"))
	require.Equal(t, "["+strings.Join(identity.OpenAI().Exclude, ", ")+"]", Config{}.setting(t, "excluded_fields").Value)
	require.Equal(t, "[]", Config{ExcludedFields: []string{}}.setting(t, "excluded_fields").Value)
}

// lines are the lines of an error, without the directory.
func errorLines(err error, path string) []string {
	if err == nil {
		return nil
	}
	return strings.Split(strings.ReplaceAll(err.Error(), path, filepath.Base(path)), "\n")
}

func TestConfig_AllErrorsAtOnce(t *testing.T) {
	path := writeConfig(t, "llmidem.yaml", `# what is wrong with it is in the order of the lines
cache_tll: 10m
cache_ttl: 10
cache_capacity: 0
cache_bytes: 64MB
recall: sometimes
retry:
  max_atempts: 3
  elapsed: -1m
  refill: .inf
max_attempts: 3
strict: yes
tenant: 42
namespace:
excluded_fields: [model, "", a]
on_unknown: {fail: true}
header_name: Idempotency Key
key_prefix: Acme
scheme_secret: hunter2-hunter2-hunter2
store: redis://:hunter2@cache/0
frobnicate: 1
cache_ttl: 5m
drain: 1
max_flights: [1]
`)
	_, err := loadConfig(path, []string{
		"LLMIDEM_CACHE_TLL=1m", "LLMIDEM_STORE_TIMEOUT=5", "LLMIDEM_MAX_BODY=-1", "LLMIDEM_XYZZY=hunter2", "LLMIDEM_ON_AMBIGUOUS=maybe",
		"LLMIDEM_TOLERATE_TRUNCATION=1", "LLMIDEM_RETRY_BUDGET=many",
	})
	require.Equal(t, []string{
		"llmidem.yaml:2:1: there is no setting cache_tll; did you mean cache_ttl?",
		"llmidem.yaml:3:12: cache_ttl is no time; write it with its unit, as in 90s, 10m or 24h",
		"llmidem.yaml:4:17: cache_capacity is 0, which stands for the default; leave it out for that",
		"llmidem.yaml:5:14: cache_bytes is no size; write bytes in digits, or a unit, as in 64MiB (KiB, MiB, GiB, TiB)",
		"llmidem.yaml:6:9: recall is none of its values; write always, undelivered or off",
		"llmidem.yaml:8:3: there is no setting retry.max_atempts; did you mean retry.max_attempts?",
		"llmidem.yaml:9:12: retry.elapsed is negative; write a time like 10m",
		"llmidem.yaml:10:11: retry.refill is no number above 0; write it like 0.1",
		"llmidem.yaml:11:1: there is no setting max_attempts; did you mean retry.max_attempts?",
		"llmidem.yaml:12:9: strict is neither true nor false; write one of them, without quotes",
		"llmidem.yaml:13:9: tenant is no text; put it in quotes",
		"llmidem.yaml:14:11: namespace has no value; write one, or leave the name out",
		"llmidem.yaml:15:18: excluded_fields has an element that is no text; put it in quotes",
		"llmidem.yaml:16:14: on_unknown is one value, no group of settings",
		`llmidem.yaml:17:14: header_name "Idempotency Key" is no header name; use letters, digits and hyphens, as in Idempotency-Key`,
		"llmidem.yaml:18:13: key_prefix is no prefix of keys; use small letters and digits and one _ at the end, as in acme_",
		"llmidem.yaml:19:16: scheme_secret is set, and belongs to the scheme hmac; set scheme to hmac, or leave it out",
		"llmidem.yaml:19:16: scheme_secret is no reference; write env:NAME or file:PATH; the secret itself does not belong here",
		"llmidem.yaml:20:8: store is a URL with a password; keep it elsewhere, and write env:NAME or file:PATH",
		"llmidem.yaml:21:1: there is no setting frobnicate; llmidem config print lists them",
		"llmidem.yaml:22:1: cache_ttl was set before, in line 3; keep one of them",
		"llmidem.yaml:23:1: drain is a group of settings: drain.bytes, drain.time",
		"llmidem.yaml:24:14: max_flights is a list; write one value",
		"LLMIDEM_CACHE_TLL: there is no such setting; did you mean LLMIDEM_CACHE_TTL?",
		"LLMIDEM_MAX_BODY: is no size; write bytes in digits, or a unit, as in 64MiB (KiB, MiB, GiB, TiB)",
		"LLMIDEM_ON_AMBIGUOUS: is none of its values; write retry or fail",
		"LLMIDEM_RETRY_BUDGET: is no whole number from 1 to 2147483647; write it in digits alone",
		"LLMIDEM_STORE_TIMEOUT: is no time; write it with its unit, as in 90s, 10m or 24h",
		"LLMIDEM_TOLERATE_TRUNCATION: is neither true nor false; write one of them, without quotes",
		"LLMIDEM_XYZZY: there is no such setting; llmidem config print lists them; name it without LLMIDEM_ if it is of your own",
	}, errorLines(err, path))
	require.NotContains(t, err.Error(), "hunter2")
}

func TestConfig_Conflicts(t *testing.T) {
	for _, c := range []struct {
		text string
		env  []string
		want string
	}{
		{"scheme: md5\nscheme_secret: env:X", nil, "c.yaml:1:9: scheme is no scheme; use sha256, uuid5 or hmac"},
		{"scheme: uuid5", nil, "c.yaml:1:9: scheme is uuid5, and nothing says in which namespace; set scheme_namespace to a UUID of your own, and keep it"},
		{"scheme: uuid5\nscheme_namespace: x", nil, "c.yaml:2:19: scheme_namespace is no UUID, or the zero one; generate one, and keep it"},
		{"scheme: uuid5\nscheme_namespace: 00000000-0000-0000-0000-000000000000", nil, "c.yaml:2:19: scheme_namespace is no UUID, or the zero one; generate one, and keep it"},
		{"scheme: uuid5\nscheme_namespace: 8a7c0e9e-5d9e-4f7e-9f0a-0d8f3b1c2d3e", []string{"LLMIDEM_KEY_PREFIX=acme_"},
			"LLMIDEM_KEY_PREFIX: is set, and uuid5 keys have no prefix; leave it out, or use another scheme"},
		{"scheme_namespace: 8a7c0e9e-5d9e-4f7e-9f0a-0d8f3b1c2d3e", nil,
			"c.yaml:1:19: scheme_namespace is set, and belongs to the scheme uuid5; set scheme to uuid5, or leave it out"},
		{"scheme: hmac", nil, "c.yaml:1:9: scheme is hmac, and nothing says where its secret is; set scheme_secret to env:NAME or file:PATH"},
		{"scheme: hmac\nscheme_secret: 'env:'", nil, "c.yaml:2:16: scheme_secret is no reference; write env:NAME or file:PATH; the secret itself does not belong here"},
		{"key_policy:\n  scheme: uuid5\n  prefix: a_", nil,
			"c.yaml:2:11: key_policy.scheme can be met by no key (identity: policy: the prefix \"a_\" is set, and uuid5 keys have none); correct it, or leave it out for any key"},
		{"key_policy: {min_len: 9, max_len: 8}", nil,
			"c.yaml:1:23: key_policy.min_len can be met by no key (identity: policy: keys of 9 to 8 bytes; a key has 1 to 255); correct it, or leave it out for any key"},
		{"store: cache:6379", nil, "c.yaml:1:8: store is no URL; write one like redis://host:6379/0, or env:NAME or file:PATH of one"},
		{"store: bolt:///var/lib/app/records.db", nil, ""},
		{"store: C:\\records", nil, "c.yaml:1:8: store is no URL; write one like redis://host:6379/0, or env:NAME or file:PATH of one"},
		{"store: records.db", nil, "c.yaml:1:8: store is no URL; write one like redis://host:6379/0, or env:NAME or file:PATH of one"},
		{"store: postgres://db/x?sslpassword=hunter2", nil, "c.yaml:1:8: store is a URL with a password; keep it elsewhere, and write env:NAME or file:PATH"},
		{"store: postgres://me@db/x?sslmode=require&sslkey=/k.pem", nil, ""},
		{"excluded_fields: [model]", nil, "c.yaml:1:18: excluded_fields cannot be: \"model\" decides what is asked for and cannot be excluded; name members that do not change the answer, by their dotted path"},
		{"excluded_fields: [temperature]", nil, "c.yaml:1:18: excluded_fields excludes temperature, which decides whether an answer may be given again; leave it in"},
		{"strict: true", []string{"LLMIDEM_PASS_OVER_MAX_BODY=true"}, "LLMIDEM_PASS_OVER_MAX_BODY: is set beside strict, which refuses what passes untouched; keep one of them"},
		{"", []string{"LLMIDEM_STORE=env:LLMIDEM_REDIS"}, ""},
		{"", []string{"LLMIDEM_STORE=env:LLMIDEM_REDIS", "LLMIDEM_REDIS=redis://:hunter2@h"}, ""},
		{"", []string{"LLMIDEM_REDIS=redis://:hunter2@h"}, "LLMIDEM_REDIS: there is no such setting; llmidem config print lists them; name it without LLMIDEM_ if it is of your own"},
	} {
		path := writeConfig(t, "c.yaml", c.text)
		cfg, err := loadConfig(path, c.env)
		require.Equal(t, c.want, strings.Join(errorLines(err, path), "\n"), "%s %v", c.text, c.env)
		if err != nil {
			require.Equal(t, Config{}, cfg)
		}
	}
}

func TestConfig_FilesThatAreNone(t *testing.T) {
	dir := t.TempDir()
	_, err := LoadConfig(filepath.Join(dir, "none.yaml"))
	require.ErrorIs(t, err, os.ErrNotExist)
	_, err = LoadConfig(dir)
	require.ErrorContains(t, err, "this is no file")
	many := strings.Repeat("x", 3)
	var text strings.Builder
	for i := range 200 {
		fmt.Fprintf(&text, "%s%d: 1\n", many, i)
	}
	_, err = loadConfig(writeConfig(t, "c.yaml", text.String()), nil)
	require.Len(t, strings.Split(err.Error(), "\n"), mostProblems+1)
	require.ErrorContains(t, err, "llmidem: LoadConfig: 150 more are wrong")

	// A variable's name is whatever the process was started with.
	_, err = loadConfig("", []string{"LLMIDEM_A\n\x1b[2JB=1", "LLMIDEM_" + strings.Repeat("x", 1<<16) + "=1"})
	require.Len(t, strings.Split(err.Error(), "\n"), 2)
	require.NotContains(t, err.Error(), "\x1b")
	require.Less(t, len(err.Error()), 1000)
}

func TestConfig_ReferencesAreBesideTheirFile(t *testing.T) {
	path := writeConfig(t, "c.yaml", "store: file:store.url\nscheme: hmac\nscheme_secret: file:keys/hmac\n")
	cfg, err := loadConfig(path, nil)
	require.NoError(t, err)
	require.Equal(t, "file:"+filepath.Join(filepath.Dir(path), "keys", "hmac"), cfg.SchemeSecret)
	_, err = cfg.StoreURL()
	require.ErrorContains(t, err, "llmidem: Config.Store ("+path+":1:8) refers to "+filepath.Join(filepath.Dir(path), "store.url")+", which cannot be read")
	require.NoError(t, os.WriteFile(filepath.Join(filepath.Dir(path), "store.url"), []byte("redis://:pw@h:6379\r\n"), 0o600))
	url, err := cfg.StoreURL()
	require.NoError(t, err)
	require.Equal(t, "redis://:pw@h:6379", url)
	cfg, err = loadConfig(path, []string{"LLMIDEM_SCHEME_SECRET=file:here"})
	require.NoError(t, err)
	require.Equal(t, "file:here", cfg.SchemeSecret, "a variable's path is relative to the working directory")
}

func TestNearest(t *testing.T) {
	for wrong, want := range map[string]string{
		"cache-ttl": "cache_ttl", "cachettl": "cache_ttl", "CACHE_TTL": "cache_ttl", "recal": "recall", "max_attempts": "retry.max_attempts",
		"retries": "", "x": "", "": "", "hedaer_name": "header_name", strings.Repeat("cache_ttl", 9): "", "retyr.budget": "retry.budget",
	} {
		require.Equal(t, want, nearest(wrong, inFile), wrong)
	}
	require.Equal(t, 1, distance("ab", "ba"))
	require.Equal(t, 3, distance("kitten", "sitting"))
	require.Equal(t, 4, distance("", "four"))
}

// Foreign bytes give a Config that New's checks pass, or an error of lines, and
// never hang.
func FuzzLoadConfig(f *testing.F) {
	var all strings.Builder
	for _, s := range settingNames {
		f.Add([]byte(s.name+": "+samples[s.name].yaml), false, s.env(), samples[s.name].env)
		if s.name != "scheme_namespace" {
			fmt.Fprintf(&all, "%s: %s\n", s.name, samples[s.name].yaml)
		}
	}
	f.Add([]byte(all.String()), false, "LLMIDEM_STRICT", "true")
	f.Add([]byte(`{"retry": {"max_attempts": 3}, "excluded_fields": ["a"]}`), true, "LLMIDEM_X", "")
	f.Add([]byte("a: &a [*a]\n"), false, "", "")
	dir := f.TempDir()
	f.Fuzz(func(t *testing.T, data []byte, asJSON bool, name, value string) {
		path := filepath.Join(dir, "c.yaml")
		if asJSON {
			path = filepath.Join(dir, "c.json")
		}
		require.NoError(t, os.WriteFile(path, data, 0o600))
		cfg, err := loadConfig(path, []string{name + "=" + value})
		if err != nil {
			for _, line := range errorLines(err, path) {
				require.NotEmpty(t, line)
			}
			return
		}
		require.Empty(t, cfg.check())
		require.Len(t, cfg.Settings(), len(settingNames))
	})
}
