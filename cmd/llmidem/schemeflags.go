package main

import (
	"bytes"
	"errors"
	"fmt"
	"os"

	"github.com/google/uuid"
	"github.com/llmidem/llmidem-go/llmidem/identity"
	"github.com/spf13/cobra"
)

// defaultPrefix and defaultNamespace are those of the specification and its
// reference.
const (
	defaultPrefix    = "idem_"
	defaultNamespace = "6ba7b811-9dad-11d1-80b4-00c04fd430c8" // the one of URLs in RFC 9562
)

// schemeFlags say how a key is made from a document. A secret is named, never given:
// a command line is seen by every process of the machine.
type schemeFlags struct {
	scheme, prefix, namespace string
	secretFile, secretEnv     string
}

// add declares the flags.
func (f *schemeFlags) add(cmd *cobra.Command) {
	fs := cmd.Flags()
	fs.StringVar(&f.scheme, "scheme", "sha256", "how the key is made: sha256, uuid5 or hmac")
	fs.StringVar(&f.prefix, "prefix", defaultPrefix, "prefix of sha256 and hmac keys; must match [a-z0-9]+_")
	fs.StringVar(&f.namespace, "namespace", defaultNamespace, "namespace of uuid5 keys, a UUID")
	fs.StringVar(&f.secretFile, "secret-file", "", "file that holds the secret of hmac keys; one line end at its end does not count")
	fs.StringVar(&f.secretEnv, "secret-env", "", "environment variable that holds the secret of hmac keys")
	cmd.MarkFlagsMutuallyExclusive("secret-file", "secret-env")
}

// build returns the scheme. Flags of another scheme are errors: a prefix that is
// silently without effect would look like one that works.
func (f *schemeFlags) build(cmd *cobra.Command) (s identity.Scheme, err error) {
	for flag, of := range map[string]string{"namespace": "uuid5", "secret-file": "hmac", "secret-env": "hmac"} {
		if cmd.Flags().Changed(flag) && f.scheme != of {
			return s, fmt.Errorf("--%s is for --scheme %s", flag, of)
		}
	}
	switch f.scheme {
	case "sha256":
		s = identity.SHA256(f.prefix)
	case "uuid5":
		if cmd.Flags().Changed("prefix") {
			return s, errors.New("--prefix is for --scheme sha256 and hmac: a UUID has none")
		}
		ns, err := uuid.Parse(f.namespace)
		if err != nil {
			return s, errors.New("--namespace is not a UUID")
		}
		s = identity.UUID5(ns)
	case "hmac":
		secret, err := f.secret()
		if err != nil {
			return s, err
		}
		s = identity.HMAC(f.prefix, secret)
	default:
		return s, fmt.Errorf("no scheme %q: it is one of sha256, uuid5, hmac", f.scheme)
	}
	return s, s.Err()
}

// secret reads the secret from where the flags say it is.
func (f *schemeFlags) secret() ([]byte, error) {
	switch {
	case f.secretFile != "":
		b, err := os.ReadFile(f.secretFile)
		if err != nil {
			return nil, unread(printable(f.secretFile), err)
		}
		b = bytes.TrimSuffix(b, []byte("\n"))
		return bytes.TrimSuffix(b, []byte("\r")), nil
	case f.secretEnv != "":
		v, ok := os.LookupEnv(f.secretEnv)
		if !ok {
			return nil, fmt.Errorf("--secret-env: there is no variable %q", f.secretEnv)
		}
		return []byte(v), nil
	}
	return nil, errors.New("--scheme hmac needs --secret-file or --secret-env")
}
