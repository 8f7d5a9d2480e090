package llmidem

import (
	"reflect"
	"strings"
	"unicode/utf8"
)

// envPrefix is what the names of variables that are settings begin with, and
// envTests what those of our own tests do.
const (
	envPrefix = "LLMIDEM_"
	envTests  = "LLMIDEM_TEST_"
)

// setting is one field of Config and its name in files. The name in the environment
// is LLMIDEM_ and that name in upper case, with _ for a dot.
type setting struct {
	name  string
	field string // of Config, with dots for those of its structs
	unset string // what a field that is zero stands for, where withDefaults does not say
	note  string // what is to be said of the default
}

// settingNames are all fields of Config, in the order in which they are shown.
var settingNames = [...]setting{
	{"header_name", "HeaderName", defaultKeyHeader, "unless the provider names another"},
	{"key_prefix", "KeyPrefix", "idem_", ""},
	{"scheme", "Scheme", "sha256", ""},
	{"scheme_namespace", "SchemeNamespace", "", ""},
	{"scheme_secret", "SchemeSecret", "", ""},
	{"key_policy.scheme", "KeyPolicy.Scheme", "", "keys of any"},
	{"key_policy.prefix", "KeyPolicy.Prefix", "", "any"},
	{"key_policy.min_len", "KeyPolicy.MinLen", "1", ""},
	{"key_policy.max_len", "KeyPolicy.MaxLen", "255", ""},
	{"excluded_fields", "ExcludedFields", "[timestamp, trace_id, request_id, retry_count]", "unless the provider's rules name others"},
	{"namespace", "Namespace", "", "none"},
	{"tenant", "Tenant", "", "by credentials"},
	{"store", "Store", "", "memory"},
	{"cache_ttl", "CacheTTL", "", "24h in a store that outlasts the process"},
	{"cache_capacity", "CacheCapacity", "", ""},
	{"cache_bytes", "CacheBytes", "", ""},
	{"recall", "Recall", "", ""},
	{"retry.max_attempts", "Retry.MaxAttempts", "", ""},
	{"retry.max_ambiguous", "Retry.MaxAmbiguous", "", ""},
	{"retry.base_delay", "Retry.BaseDelay", "", ""},
	{"retry.max_hint", "Retry.MaxHint", "", ""},
	{"retry.elapsed", "Retry.Elapsed", "", ""},
	{"retry.budget", "Retry.Budget", "", ""},
	{"retry.refill", "Retry.Refill", "", ""},
	{"on_ambiguous", "OnAmbiguous", "", ""},
	{"on_unknown", "OnUnknown", "", ""},
	{"store_down", "StoreDown", "", ""},
	{"store_timeout", "StoreTimeout", "", ""},
	{"accept_store_loss", "AcceptStoreLoss", "", ""},
	{"detach_limit", "DetachLimit", "", ""},
	{"drain.bytes", "Drain.Bytes", "", "streams that are closed early are dropped"},
	{"drain.time", "Drain.Time", "", "streams that are closed early are dropped"},
	{"tolerate_truncation", "TolerateTruncation", "", ""},
	{"max_body", "MaxBody", "", ""},
	{"pass_over_max_body", "PassOverMaxBody", "", ""},
	{"max_entry", "MaxEntry", "", ""},
	{"max_flights", "MaxFlights", "", ""},
	{"strict", "Strict", "", ""},
}

// of is the setting's field in a Config, which can be set.
func (s setting) of(c *Config) reflect.Value {
	v := reflect.ValueOf(c).Elem()
	for name := range strings.SplitSeq(s.field, ".") {
		v = v.FieldByName(name)
	}
	return v
}

// env is the setting's name in the environment.
func (s setting) env() string {
	return envPrefix + strings.ToUpper(strings.ReplaceAll(s.name, ".", "_"))
}

// settingNamed finds the setting that is called name by called.
func settingNamed(name string, called func(setting) string) (setting, bool) {
	for _, s := range settingNames {
		if called(s) == name {
			return s, true
		}
	}
	return setting{}, false
}

func inFile(s setting) string    { return s.name }
func inProgram(s setting) string { return s.field }

// nearest is the known name that a wrong one was probably meant to be, or "".
func nearest(name string, called func(setting) string) string {
	const longest = 64 // no name is half as long; comparing takes the product of lengths
	if len(name) > longest {
		return ""
	}
	name = strings.ReplaceAll(name, "-", "_")
	best, least := "", 1+max(2, utf8.RuneCountInString(name)/4)
	for _, s := range settingNames {
		known := called(s)
		d := distance(strings.ToLower(name), strings.ToLower(known))
		if _, last, ok := strings.Cut(known, "."); ok && last == name {
			d = 1 // the group was left out
		}
		if d < least {
			best, least = known, d
		}
	}
	return best
}

// distance is how many letters are to be put in, taken out, changed or swapped with
// their neighbour to make b of a.
func distance(a, b string) int {
	var rows [3][]int
	for i := range rows {
		rows[i] = make([]int, len(b)+1)
	}
	for j := range rows[1] {
		rows[1][j] = j
	}
	for i := 1; i <= len(a); i++ {
		before, above, row := rows[0], rows[1], rows[2]
		row[0] = i
		for j := 1; j <= len(b); j++ {
			change := 1
			if a[i-1] == b[j-1] {
				change = 0
			}
			row[j] = min(above[j]+1, row[j-1]+1, above[j-1]+change)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				row[j] = min(row[j], before[j-2]+1)
			}
		}
		rows = [3][]int{above, row, before}
	}
	return rows[1][len(b)]
}
