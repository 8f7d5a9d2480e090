package main

import (
	"fmt"
	"net/http"
	"os"
	"slices"
	"strings"
)

// credentials are headers whose value must not be on a command line.
var credentials = []string{"Authorization", "Proxy-Authorization", "Cookie", "Api-Key", "X-Api-Key", "X-Goog-Api-Key",
	"Ocp-Apim-Subscription-Key", "Cf-Aig-Authorization", "X-Portkey-Api-Key", "X-Litellm-Api-Key"}

// fill sets the headers of every request, credentials among them.
func (f *verifyFlags) fill(p *prober) (keyFrom string, err error) {
	if p.header, err = parseHeaders(f.headers); err != nil {
		return "", err
	}
	for name := range p.header {
		if slices.Contains(credentials, name) {
			return "", fmt.Errorf("--header %s: a command line is seen by every process of the machine; use --header-env '%s=VARIABLE'", name, name)
		}
		if !token.MatchString(name) || name == http.CanonicalHeaderKey(p.keyHeader) || slices.Contains(reserved, name) {
			return "", fmt.Errorf("--header %s cannot be set here", printable(name))
		}
	}
	for name, values := range p.provider.Headers {
		if _, ok := p.header[name]; !ok {
			p.header[name] = values
		}
	}
	p.header.Set("Content-Type", "application/json")
	if p.dialect.name == "anthropic" && p.header.Get("Anthropic-Version") == "" {
		p.header.Set("Anthropic-Version", "2023-06-01")
	}
	if err := f.fillEnv(p); err != nil {
		return "", err
	}
	return f.fillKey(p)
}

// fillEnv sets the headers whose values are in variables.
func (f *verifyFlags) fillEnv(p *prober) error {
	for i, text := range f.headerEnv {
		name, variable, ok := strings.Cut(text, "=")
		canonical := http.CanonicalHeaderKey(name)
		if !ok || !token.MatchString(name) || canonical == http.CanonicalHeaderKey(p.keyHeader) ||
			slices.Contains(reserved, canonical) && !slices.Contains(credentials, canonical) {
			return fmt.Errorf("--header-env %d is not of the form 'Name=VARIABLE'", i+1)
		}
		value, err := secretOf("--header-env "+name, variable)
		if err != nil {
			return err
		}
		p.header[canonical] = append(p.header[canonical], value)
		p.secrets = append(p.secrets, value)
	}
	return nil
}

// fillKey sets the credential, unless --header-env did.
func (f *verifyFlags) fillKey(p *prober) (string, error) {
	variable := f.apiKeyEnv
	if variable == "" {
		variable = p.service.usualEnv(p.dialect)
		if os.Getenv(variable) == "" {
			return "", nil
		}
	}
	key, err := secretOf("--api-key-env", variable)
	if err != nil {
		return "", err
	}
	name, value := p.service.credential(p.dialect, key)
	if p.header.Get(name) == "" {
		p.header.Set(name, value)
		p.secrets = append(p.secrets, key)
		return variable, nil
	}
	if f.apiKeyEnv != "" {
		return "", fmt.Errorf("--api-key-env and --header-env %s are one header", name)
	}
	return "", nil
}

// secretOf reads a variable that holds the value of a header.
func secretOf(flag, variable string) (string, error) {
	v := strings.TrimSpace(os.Getenv(variable))
	if v == "" {
		return "", fmt.Errorf("%s: there is no variable %q, or it is empty", flag, variable)
	}
	if strings.ContainsFunc(v, func(r rune) bool { return r < ' ' || r == 0x7f }) {
		return "", fmt.Errorf("%s: the value of %q is no value of a header", flag, variable)
	}
	return v, nil
}
