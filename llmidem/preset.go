package llmidem

// A preset is a bundle of settings with a promise. It is the first option of
// [New], at most one; an option after it overrides what it sets, unless that
// breaks the promise: then New says which.
type preset struct {
	name    string
	promise func(*settings) error // checks the settings after all options
	set     func(*settings)
}

func (p preset) apply(s *settings) {
	s.presets = append(s.presets, p.name)
	s.presetAt = append(s.presetAt, s.applied)
	if p.set != nil {
		p.set(s)
	}
	s.promise = p.promise
}

// ForInference is the default, said aloud: keys are SHA-256 of the identity,
// answers are kept in memory (10,000 entries, 64 MiB, 10 minutes), and a
// gateway that replays by key is relied on for retries.
func ForInference() Option { return preset{name: "ForInference"} }

// ForLegacy is for services that choke on headers they do not know: it sends no
// key header. Everything else is as with [ForInference]: calls are identified,
// retried, coalesced and recalled from memory. A key header that the caller
// sets on a request goes out as it is.
func ForLegacy() Option {
	return preset{
		name: "ForLegacy",
		set:  func(s *settings) { s.noKeyHeader = true },
		promise: func(s *settings) error {
			if s.cfg.HeaderName != "" {
				return optionError("Config.HeaderName", "is set, but ForLegacy promises to send no key header",
					"drop HeaderName, or use ForInference")
			}
			if s.provider.Keys.Class != Ignore {
				return optionError("ForLegacy", "sends no key, but the provider is of class "+s.provider.Keys.Class.String(),
					"use ForInference, so that the provider can tell retries apart")
			}
			return nil
		},
	}
}
