package llmidem_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/llmidem/llmidem-go/llmidem"
	"github.com/llmidem/llmidem-go/llmidem/providers"
)

func ExampleLoadConfig() {
	dir, err := os.MkdirTemp("", "llmidem")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.RemoveAll(dir)
	path := filepath.Join(dir, "llmidem.yaml")
	write := func(text string) {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			fmt.Println(err)
		}
	}

	write("cache_ttl: 30m\nretry:\n  max_attempts: 3\nexcluded_fields: [metadata.span]\n")
	cfg, err := llmidem.LoadConfig(path)
	if err != nil {
		fmt.Println(err)
		return
	}
	_, err = llmidem.New(providers.OpenAI(), cfg)
	fmt.Println(cfg.CacheTTL, cfg.Retry.MaxAttempts, cfg.ExcludedFields, err)
	for _, s := range cfg.Settings() {
		if s.Name == "cache_ttl" || s.Name == "max_body" {
			fmt.Println(s.Name, s.Value, strings.TrimPrefix(s.Origin, dir+string(filepath.Separator)))
		}
	}

	write("cache_tll: 30m\nretry:\n  max_attempts: 0\n")
	_, err = llmidem.LoadConfig(path)
	fmt.Println(strings.ReplaceAll(err.Error(), dir+string(filepath.Separator), ""))
	// Output:
	// 30m0s 3 [metadata.span] <nil>
	// cache_ttl 30m llmidem.yaml:1:12
	// max_body 128MiB default
	// llmidem.yaml:1:1: there is no setting cache_tll; did you mean cache_ttl?
	// llmidem.yaml:3:17: retry.max_attempts is 0, which stands for the default; leave it out for that
}
