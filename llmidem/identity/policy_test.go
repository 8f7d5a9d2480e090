package identity

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

const (
	aDigest = "idem_eaa2236d14ca0114fdf6ec964c013691087f53739a99270d8a72976381d63a7c"
	aUUID   = "509edaaa-8999-52d4-b3bf-11ab4b829408"
)

func TestPolicy(t *testing.T) {
	other := "acme_" + aDigest[5:]
	for _, c := range []struct {
		name   string
		policy Policy
		key    string
		fault  Fault
		says   string
	}{
		{"any takes a digest", Policy{}, aDigest, "", ""},
		{"any takes a UUID", Policy{}, aUUID, "", ""},
		{"any takes a caller's own", Policy{}, "order-7", "", ""},
		{"any takes no blank", Policy{}, "order 7", FaultAlphabet, "at byte 5"},
		{"any takes no line end", Policy{}, "order\r\n7", FaultAlphabet, "at byte 5"},
		{"any takes nothing beyond ASCII", Policy{}, "órder", FaultAlphabet, "at byte 0"},
		{"any takes no quote", Policy{}, `"order"`, FaultAlphabet, "at byte 0"},
		{"any takes no list", Policy{}, "a,b", FaultAlphabet, "at byte 1"},
		{"nothing is no key", Policy{}, "", FaultLength, "0 bytes"},
		{"too long for a key", Policy{}, strings.Repeat("x", 256), FaultLength, "256 bytes"},
		{"scheme", Policy{Scheme: "sha256"}, aDigest, "", ""},
		{"scheme, any prefix", Policy{Scheme: "sha256"}, other, "", ""},
		{"hmac looks like sha256", Policy{Scheme: "hmac"}, aDigest, "", ""},
		{"scheme and prefix", Policy{Scheme: "sha256", Prefix: "acme_"}, other, "", ""},
		{"another prefix", Policy{Scheme: "sha256", Prefix: "acme_"}, aDigest, FaultPrefix, `"acme_"`},
		{"a prefix is whole", Policy{Scheme: "sha256", Prefix: "me_"}, other, FaultPrefix, `"me_"`},
		{"a UUID is no digest", Policy{Scheme: "sha256"}, aUUID, FaultForm, "another scheme than sha256"},
		{"upper case", Policy{Scheme: "sha256"}, strings.ToUpper(aDigest), FaultPrefix, "at byte 0"},
		{"a digit short", Policy{Scheme: "sha256"}, aDigest[:68], FaultLength, "63 characters"},
		{"a credential", Policy{Scheme: "sha256"}, "sk-proj-secret", FaultForm, "neither"},
		{"UUID", Policy{Scheme: "uuid5"}, aUUID, "", ""},
		{"a digest is no UUID", Policy{Scheme: "uuid5"}, aDigest, FaultForm, "another scheme than uuid5"},
		{"UUID of version 4", Policy{Scheme: "uuid5"}, "509edaaa-8999-42d4-b3bf-11ab4b829408", FaultForm, "version 5"},
		{"UUID of another variant", Policy{Scheme: "uuid5"}, "509edaaa-8999-52d4-f3bf-11ab4b829408", FaultForm, "version 5"},
		{"UUID in upper case", Policy{Scheme: "uuid5"}, strings.ToUpper(aUUID), FaultAlphabet, "at byte 3"},
		{"UUID as in logs", Policy{Scheme: "uuid5"}, "idem_" + aUUID, FaultForm, "logs"},
		{"own prefix", Policy{Prefix: "order-"}, "order-7", "", ""},
		{"own prefix missing", Policy{Prefix: "order-"}, "7", FaultPrefix, `"order-"`},
		{"length", Policy{MinLen: 3, MaxLen: 5}, "abc", "", ""},
		{"too short", Policy{MinLen: 3, MaxLen: 5}, "ab", FaultLength, "2 bytes, not 3 to 5"},
		{"too long", Policy{MinLen: 3, MaxLen: 5}, "abcdef", FaultLength, "6 bytes, not 3 to 5"},
	} {
		t.Run(c.name, func(t *testing.T) {
			require.NoError(t, c.policy.Err())
			k, err := c.policy.Parse(c.key)
			if c.fault == "" {
				require.NoError(t, err)
				require.Equal(t, c.key, k.String())
				require.NoError(t, c.policy.Check(k))
				return
			}
			var bad *KeyError
			require.True(t, errors.As(err, &bad), "%v", err)
			require.Equal(t, c.fault, bad.Fault, "%v", err)
			require.ErrorContains(t, err, c.says)
			require.True(t, k.IsZero())
			require.NotContains(t, err.Error(), "secret")
			if own, err := Foreign(c.key); err == nil {
				require.Equal(t, bad, c.policy.Check(own))
			}
		})
	}
}

func TestPolicyThatIsNone(t *testing.T) {
	for _, c := range []struct {
		policy Policy
		says   string
	}{
		{Policy{Scheme: "md5"}, `no scheme "md5"; it is sha256, uuid5 or hmac`},
		{Policy{Scheme: "sha256", Prefix: "Acme"}, "does not match [a-z0-9]+_"},
		{Policy{Scheme: "uuid5", Prefix: "a_"}, "uuid5 keys have none"},
		{Policy{Scheme: "uuid5", MaxLen: 35}, "have 36 bytes, not 1 to 35"},
		{Policy{Scheme: "sha256", Prefix: "idem_", MaxLen: 64}, "have 69 bytes, not 1 to 64"},
		{Policy{MinLen: 5, MaxLen: 4}, "5 to 4"},
		{Policy{MinLen: -1}, "-1 to 255"},
		{Policy{MaxLen: 256}, "1 to 256"},
		{Policy{MinLen: 256}, "256 to 255"},
		{Policy{Prefix: "a b"}, `begin with the prefix "a b"`},
		{Policy{Prefix: "order-", MaxLen: 3}, `begin with the prefix "order-"`},
	} {
		t.Run(fmt.Sprintf("%+v", c.policy), func(t *testing.T) {
			require.ErrorContains(t, c.policy.Err(), c.says)
			_, err := c.policy.Parse(aDigest)
			require.Equal(t, c.policy.Err(), err, "nothing meets it")
		})
	}
	require.Error(t, Policy{}.Check(Key{}))
}

func FuzzPolicy(f *testing.F) {
	for _, s := range []string{aDigest, aUUID, "order-7", "idem_" + aUUID, "", "\x00", strings.Repeat("a", 300)} {
		f.Add("sha256", "idem_", 0, 0, s)
		f.Add("", "", 1, 40, s)
		f.Add("uuid5", "", 0, 0, s)
	}
	f.Fuzz(func(t *testing.T, scheme, prefix string, low, high int, s string) {
		p := Policy{scheme, prefix, low, high}
		k, err := p.Parse(s)
		if err != nil {
			require.True(t, k.IsZero())
			return
		}
		require.NoError(t, p.Err())
		require.Equal(t, s, k.String(), "a key is what came")
		require.True(t, strings.HasPrefix(s, prefix))
		require.NoError(t, p.Check(k))
	})
}
