package llmidem

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/llmidem/llmidem-go/llmidem/identity"
	"github.com/llmidem/llmidem-go/llmidem/store"
)

// leanedOn are body members that the client itself reads: excluded, they would
// silently change what may be recalled or made again.
var leanedOn = []string{"temperature", "conversation", "background", "stream_options", "cachedContent", "cached_content", "mcp_servers"}

// leans reports whether an exclusion takes out something of what is leaned on.
func leans(path string) bool {
	head, _, _ := strings.Cut(path, ".")
	return slices.Contains(leanedOn, head)
}

// optionError is how New speaks: the option, what is wrong, and the fix.
func optionError(option, wrong, fix string) error {
	return &optionFault{option: option, wrong: wrong, fix: fix}
}

// optionFault is an option that is wrong; place is where it was read, in brackets.
type optionFault struct{ option, place, wrong, fix string }

func (f *optionFault) Error() string {
	return "llmidem: " + f.option + f.place + " " + f.wrong + "; " + f.fix
}

// validate reports everything that is wrong, joined.
func (s *settings) validate() error {
	errs := s.errs
	add := func(err error) { errs = append(errs, err) }
	if len(s.presets) > 1 {
		add(optionError(strings.Join(s.presets, " and "), "are two presets", "keep one of them"))
	} else if len(s.presets) == 1 && s.presetAt[0] != 0 {
		add(optionError(s.presets[0], "comes after other options, which it would override", "make the preset the first option"))
	}
	if s.transportSet && s.transport == nil {
		add(optionError("WithTransport", "is nil", "leave it out for the client's own transport"))
	}
	if s.cfg.Store != "" && !s.storeSet {
		add(optionError("Config.Store", "names a store that was not opened",
			"open it with a package of llmidem/store and the URL of Config.StoreURL, and give it to New by WithStore"))
	}
	if s.storeSet && s.store == nil {
		add(optionError("WithStore", "is nil", "open the store first, or leave the option out for memory"))
	}
	if s.auditSet && s.audit == nil {
		add(optionError("WithAudit", "is nil", "open a log with audit.Open, or leave the option out"))
	}
	if c, ok := s.transport.(*Client); ok && c != nil {
		add(optionError("WithTransport", "is a *llmidem.Client: every call would pass two of them", "give it the transport below"))
	}
	errs = append(errs, s.provider.check()...)
	errs = append(errs, s.cfg.check()...)
	errs = append(errs, s.checkKey()...)
	if s.provider.Rules != nil {
		if err := s.provider.Rules.Validate(s.cfg.ExcludedFields); err != nil {
			add(fmt.Errorf("llmidem: Config.ExcludedFields"+s.cfg.placed("ExcludedFields")+" or Provider.Rules: %w; name members that do not change the answer, by their dotted path", err))
		}
	}
	if len(errs) == 0 && s.promise != nil {
		if err := s.promise(s); err != nil {
			add(err)
		}
	}
	s.cfg.locate(errs)
	return errors.Join(errs...)
}

// checkKey checks the scheme, and that the provider takes the keys it makes.
func (s *settings) checkKey() (errs []error) {
	switch {
	case s.finance: // the scheme is the preset's, and its promise says what replaces it
	case s.schemeSet:
		if s.cfg.KeyPrefix != "" {
			errs = append(errs, optionError("Config.KeyPrefix", "is set beside WithScheme", "give the prefix to the scheme"))
		}
		if s.cfg.Scheme != "" {
			errs = append(errs, optionError("Config.Scheme", "is set beside WithScheme", "keep one of them"))
		}
	case len(s.cfg.checkScheme()) > 0 || len(s.cfg.checkReferences()) > 0:
		return nil // said by Config.check
	default:
		if err := s.setScheme(); err != nil {
			return append(errs, err)
		}
	}
	if err := s.scheme.Err(); err != nil {
		return append(errs, fmt.Errorf("llmidem: WithScheme or Config.KeyPrefix: %w; as in identity.SHA256(\"idem_\"), or a random namespace of your own for identity.UUID5", err))
	}
	if len(errs) > 0 {
		return errs
	}
	sample, err := identity.Function("sample", []byte("0"), identity.Call{})
	if err != nil {
		return append(errs, err)
	}
	key, err := s.scheme.Key(sample)
	if err != nil {
		return append(errs, fmt.Errorf("llmidem: WithScheme: %w", err))
	}
	if err := s.cfg.KeyPolicy.Check(key); err != nil && s.cfg.KeyPolicy.Err() == nil {
		errs = append(errs, optionError("Config.KeyPolicy", "does not take the keys of the client's own scheme "+s.scheme.Name()+" ("+err.Error()+")",
			"set Scheme and KeyPrefix to what was agreed"))
	}
	if s.noKeyHeader {
		return errs
	}
	pattern, err := s.provider.Keys.pattern()
	if err != nil {
		return errs // said by Provider.check
	}
	text := key.String()
	if s.provider.Keys.Cache {
		text = strings.Repeat("0", 2*len(store.Fingerprint{}))
	}
	if err := s.provider.Keys.accept(text, pattern); err != nil {
		errs = append(errs, fmt.Errorf("llmidem: the provider does not take keys of scheme %s: %w", s.scheme.Name(), err))
	}
	return errs
}

// check reports what is wrong with the numbers and names of a Config.
func (c Config) check() (errs []error) {
	positive := func(name string, bad bool, fix string) {
		if bad {
			errs = append(errs, optionError("Config."+name, "is negative", fix))
		}
	}
	errs = append(errs, c.checkScheme()...)
	errs = append(errs, c.checkReferences()...)
	if err := c.KeyPolicy.Err(); err != nil {
		errs = append(errs, optionError("Config.KeyPolicy", "can be met by no key ("+err.Error()+")", "correct it, or leave it out for any key"))
	}
	positive("CacheTTL", c.CacheTTL < 0, "use RecallOff to keep nothing, or 0 for the default")
	positive("CacheCapacity", c.CacheCapacity < 0, "use RecallOff to keep nothing, or 0 for 10,000 entries")
	positive("CacheBytes", c.CacheBytes < 0, "use RecallOff to keep nothing, or 0 for 64 MiB")
	positive("StoreTimeout", c.StoreTimeout < 0, "use 0 for 5 seconds")
	positive("DetachLimit", c.DetachLimit < 0, "use 0 for 5 minutes")
	positive("Drain", c.Drain.Bytes < 0 || c.Drain.Time < 0, "leave it out to drop streams that are closed early")
	positive("MaxBody", c.MaxBody < 0, "use 0 for 128 MiB")
	positive("MaxEntry", c.MaxEntry < 0, "use RecallOff to keep nothing, or 0 for 8 MiB")
	positive("MaxFlights", c.MaxFlights < 0, "use 0 for 10,000")
	positive("Retry.MaxAttempts", c.Retry.MaxAttempts < 0, "use 1 for no retry, or 0 for 5")
	positive("Retry.MaxAmbiguous", c.Retry.MaxAmbiguous < 0, "use OnAmbiguous: Fail for none, or 0 for 2")
	positive("Retry.BaseDelay", c.Retry.BaseDelay < 0, "use 0 for 200 ms")
	positive("Retry.MaxHint", c.Retry.MaxHint < 0, "use 0 for 60 s")
	positive("Retry.Elapsed", c.Retry.Elapsed < 0, "use 0 for 10 minutes")
	positive("Retry.Budget", c.Retry.Budget < 0, "use MaxAttempts: 1 for no retry, or 0 for 100")
	positive("Retry.Refill", !(c.Retry.Refill >= 0), "use 0 for 0.1")
	if c.Recall > RecallOff {
		errs = append(errs, optionError("WithRecall", "is no recall policy", "use RecallAlways, RecallUndelivered or RecallOff"))
	}
	if c.OnAmbiguous > Fail || c.OnUnknown > Fail {
		errs = append(errs, optionError("Config.OnAmbiguous or OnUnknown", "is no policy", "use Retry or Fail"))
	}
	if c.StoreDown > Refuse {
		errs = append(errs, optionError("Config.StoreDown", "is no policy", "use Proceed or Refuse"))
	}
	if c.Strict && c.PassOverMaxBody {
		errs = append(errs, optionError("Config.PassOverMaxBody", "is set beside Strict, which refuses what passes untouched", "keep one of them"))
	}
	if c.HeaderName != "" && !validToken(c.HeaderName) {
		errs = append(errs, optionError("Config.HeaderName", fmt.Sprintf("%q is no header name", c.HeaderName),
			"use letters, digits and hyphens, as in Idempotency-Key"))
	}
	return append(errs, checkExcluded("Config.ExcludedFields", c.ExcludedFields)...)
}

func checkExcluded(where string, paths []string) (errs []error) {
	for _, path := range paths {
		if leans(path) {
			errs = append(errs, optionError(where, "excludes "+path+", which decides whether an answer may be given again", "leave it in"))
		}
	}
	return errs
}

// check reports what is wrong with a provider.
func (p Provider) check() (errs []error) {
	if p.Name == "" || len(p.Name) > 64 || strings.Trim(p.Name, "abcdefghijklmnopqrstuvwxyz0123456789._-") != "" {
		errs = append(errs, optionError("Provider.Name", fmt.Sprintf("%q is no name", p.Name), "use [a-z0-9._-], 1 to 64 bytes, as in openai"))
	}
	if p.Rules == nil {
		errs = append(errs, optionError("Provider.Rules", "is nil", "start from a constructor of package providers, or identity.OpenAI()"))
	} else {
		errs = append(errs, checkExcluded("Provider.Rules.Exclude", p.Rules.Exclude)...)
	}
	k := p.Keys
	if k.Class > Reject {
		errs = append(errs, optionError("Provider.Keys.Class", "is no class", "use Ignore, Replay or Reject"))
	}
	if k.Header != "" && !validToken(k.Header) {
		errs = append(errs, optionError("Provider.Keys.Header", fmt.Sprintf("%q is no header name", k.Header), "use letters, digits and hyphens"))
	}
	if k.Cache && (k.Header == "" || k.Class != Ignore) {
		errs = append(errs, optionError("Provider.Keys.Cache", "is set without Header, or with a class other than Ignore",
			"name the header of the cache's key; a cache does not tell retries apart"))
	}
	if k.MaxLen < 0 || k.Window < 0 {
		errs = append(errs, optionError("Provider.Keys", "has a negative MaxLen or Window", "use 0 for no limit"))
	}
	if _, err := k.pattern(); err != nil {
		errs = append(errs, fmt.Errorf("llmidem: Provider.Keys.Pattern: %w; write it in RE2 syntax", err))
	}
	return errs
}

// pattern compiles Pattern so that it matches whole keys only.
func (k Keys) pattern() (*regexp.Regexp, error) {
	if k.Pattern == "" {
		return nil, nil
	}
	return regexp.Compile(`^(?:` + k.Pattern + `)$`)
}

// accept reports why a service does not take a key.
func (k Keys) accept(key string, pattern *regexp.Regexp) error {
	if k.MaxLen > 0 && len(key) > k.MaxLen {
		return fmt.Errorf("the key has %d bytes and the service takes %d; use WithScheme(identity.UUID5(namespace)), whose keys have 36", len(key), k.MaxLen)
	}
	if pattern != nil && !pattern.MatchString(key) {
		return fmt.Errorf("the key does not match the service's pattern %s; use WithScheme(identity.UUID5(namespace)), whose keys are hexadecimal digits and hyphens", k.Pattern)
	}
	return nil
}

// validToken reports whether a name is a token of RFC 9110, section 5.6.2.
func validToken(s string) bool {
	for i := 0; i < len(s); i++ {
		c := s[i]
		if c <= ' ' || c >= 0x7f || strings.IndexByte(`"(),/:;<=>?@[\]{}`, c) >= 0 {
			return false
		}
	}
	return s != ""
}
