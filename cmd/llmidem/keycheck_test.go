package main

import (
	"bytes"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

const (
	digestKey = "idem_eaa2236d14ca0114fdf6ec964c013691087f53739a99270d8a72976381d63a7c"
	uuidKey   = "509edaaa-8999-52d4-b3bf-11ab4b829408"
)

func TestKeyCheck(t *testing.T) {
	acme := "acme_" + digestKey[5:]
	for _, c := range []struct {
		keys string
		args []string
		want string
	}{
		{digestKey + "\n" + digestKey, nil, ""},
		{digestKey + "\r\n", nil, ""},
		{"", nil, ""},
		{digestKey + "\n\n" + acme + "\nsk-secret\n" + uuidKey + "\n" + digestKey + " \n", nil,
			"2: identity: bad key (length): 0 bytes, not 1 to 255\n" +
				"3: identity: bad key (prefix): it does not begin with \"idem_\"\n" +
				"4: identity: bad key (form): neither a prefix ending in _ with 64 hexadecimal digits, nor a UUID\n" +
				"5: identity: bad key (form): a key of another scheme than sha256\n" +
				"6: identity: bad key (alphabet): a blank, quote, comma, control character or one beyond ASCII at byte 69\n"},
		{digestKey + "\n" + acme, []string{"--prefix", ""}, ""},
		{acme, []string{"--prefix", "acme_", "--scheme", "hmac"}, ""},
		{uuidKey + "\n" + digestKey, []string{"--scheme", "uuid5"}, "2: identity: bad key (form): a key of another scheme than uuid5\n"},
		{"order-7\n7\norder-77777", []string{"--scheme", "any", "--prefix", "order-", "--max-len", "8"},
			"2: identity: bad key (prefix): it does not begin with \"order-\"\n3: identity: bad key (length): 11 bytes, not 1 to 8\n"},
		{"a\nabc", []string{"--scheme", "any", "--min-len", "2"}, "1: identity: bad key (length): 1 bytes, not 2 to 255\n"},
		{strings.Repeat("x", 100_000) + "\n" + digestKey, nil, "1: identity: bad key (length): more than 4096 bytes\n"},
		{digestKey + "\n" + strings.Repeat("x", 100_000), nil, "2: identity: bad key (length): more than 4096 bytes\n"},
	} {
		status := 0
		if c.want != "" {
			status = 1
		}
		place := func(name string) string {
			if c.want == "" {
				return ""
			}
			return name + ":" + strings.ReplaceAll(strings.TrimSuffix(c.want, "\n"), "\n", "\n"+name+":") + "\n"
		}
		args := append([]string{"key", "--check"}, c.args...)
		require.Equal(t, result{status, place("standard input"), ""}, llmidem(c.keys, args...), "%.200q", c.keys)
		path := file(t, "keys.txt", c.keys)
		require.Equal(t, result{status, place(path), ""}, llmidem("", append(args, path)...))
	}
}

func TestKeyCheckUsage(t *testing.T) {
	for args, want := range map[string]string{
		"--check --user u":                   "--user does not go with --check: the keys are there already",
		"--check --calls":                    "--calls does not go with --check: the keys are there already",
		"--check --scheme md5":               `identity: policy: no scheme "md5"; it is sha256, uuid5 or hmac, or empty for any key`,
		"--check --scheme uuid5 --prefix a_": `identity: policy: the prefix "a_" is set, and uuid5 keys have none`,
		"--check --prefix A":                 `identity: the key prefix "A" does not match [a-z0-9]+_`,
		"--min-len 3":                        "--min-len is for --check",
		"--check /no/such/keys":              "/no/such/keys: no such file or directory",
	} {
		require.Equal(t, result{2, "", "llmidem: " + want + "\n"}, llmidem("", append([]string{"key"}, strings.Fields(args)...)...), args)
	}
	require.Equal(t, result{2, "", "llmidem: no scheme \"\": it is one of sha256, uuid5, hmac, any\n"}, llmidem("", "key", "--check", "--scheme", ""))
	var out, err bytes.Buffer
	require.Equal(t, 2, run([]string{"key", "--check"}, broken{}, &out, &err))
	require.Equal(t, "llmidem: standard input: the pipe broke\n", err.String())
	err.Reset()
	require.Equal(t, 2, run([]string{"key", "--check"}, strings.NewReader("x\n"), broken{}, &err))
	require.Equal(t, "llmidem: standard output: the disk is full\n", err.String())
}
