package identity_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"github.com/google/uuid"
	"github.com/llmidem/llmidem-go/llmidem/identity"
	"github.com/stretchr/testify/require"
)

const digest = "43258cff783fe7036d8a43033f830adfc60ec037382473548ac742b888292777"

func TestParseKey(t *testing.T) {
	for _, good := range []string{"idem_" + digest, "acme_" + digest, "0_" + digest, "b7a969c9-5b8f-5d54-b361-6813b42580b6"} {
		k, err := identity.ParseKey(good)
		require.NoError(t, err, good)
		require.Equal(t, good, k.String())
		require.False(t, k.IsZero())
	}
	for bad, want := range map[string]struct {
		fault identity.Fault
		at    int
	}{
		"":                                     {identity.FaultForm, -1},
		digest:                                 {identity.FaultForm, -1},
		"_" + digest:                           {identity.FaultPrefix, 0},
		"Idem_" + digest:                       {identity.FaultPrefix, 0},
		"a_b_" + digest:                        {identity.FaultPrefix, 1},
		"idé_" + digest:                        {identity.FaultPrefix, 2},
		"idem_" + digest[1:]:                   {identity.FaultLength, -1},
		"idem_" + digest + "0":                 {identity.FaultLength, -1},
		" idem_" + digest:                      {identity.FaultPrefix, 0},
		"idem_" + strings.ToUpper(digest):      {identity.FaultAlphabet, 10},
		"idem_" + digest[:63] + "g":            {identity.FaultAlphabet, 68},
		"B7a969c9-5b8f-5d54-b361-6813b42580b6": {identity.FaultAlphabet, 0},
		"b7a969c9-5b8f-5d54-b361-6813b42580bx": {identity.FaultAlphabet, 35},
		"idem_b7a969c9-5b8f-5d54-b361-6813b42580bX":    {identity.FaultAlphabet, 40},
		"{b7a969c9-5b8f-5d54-b361-6813b42580b6}":       {identity.FaultForm, -1},
		"b7a969c95b8f5d54b3616813b42580b6":             {identity.FaultForm, -1},
		"acme_b7a969c9-5b8f-5d54-b361-6813b42580b6":    {identity.FaultLength, -1},
		"urn:uuid:b7a969c9-5b8f-5d54-b361-6813b42580b": {identity.FaultForm, -1},
	} {
		_, err := identity.ParseKey(bad)
		var e *identity.KeyError
		require.ErrorAs(t, err, &e, bad)
		require.Equal(t, want.fault, e.Fault, bad)
		require.Equal(t, want.at, e.Offset, bad)
		require.False(t, bad != "" && len(bad) > 8 && strings.Contains(e.Error(), bad), "the text may be a credential")
	}
}

func TestKeyIsAValue(t *testing.T) {
	a, _ := identity.ParseKey("idem_" + digest)
	b, _ := identity.Foreign("idem_" + digest)
	require.True(t, a == b)
	u, _ := identity.ParseKey("b7a969c9-5b8f-5d54-b361-6813b42580b6")
	logged, _ := identity.ParseKey(u.LogString())
	require.True(t, u == logged)
	own, _ := identity.Foreign(u.LogString())
	require.Equal(t, u.LogString(), own.String(), "a caller's key stays what it is on the wire")
	require.False(t, own == u)
	require.Len(t, map[identity.Key]int{a: 1, b: 2, u: 3, {}: 4}, 3)
}

func TestKeyMarshals(t *testing.T) {
	type record struct {
		K identity.Key  `json:"k"`
		O identity.Key  `json:"o,omitzero"`
		P *identity.Key `json:"p,omitempty"`
	}
	foreign, _ := identity.Foreign(`order\17<`)
	for _, s := range []string{"acme_" + digest, "b7a969c9-5b8f-5d54-b361-6813b42580b6"} {
		k, _ := identity.ParseKey(s)
		b, err := json.Marshal(record{K: k})
		require.NoError(t, err)
		require.Equal(t, `{"k":"`+s+`"}`, string(b))
		var r record
		require.NoError(t, json.Unmarshal(b, &r))
		require.Equal(t, k, r.K)
	}
	b, err := json.Marshal(record{P: &foreign})
	require.NoError(t, err)
	var r record
	require.NoError(t, json.Unmarshal(b, &r))
	require.True(t, r.K.IsZero())
	require.Equal(t, foreign, *r.P)
	for _, bad := range []string{`{"k":1}`, `{"k":"a b"}`, `{"k":["a"]}`} {
		require.Error(t, json.Unmarshal([]byte(bad), &r), bad)
	}
	var text identity.Key
	require.NoError(t, text.UnmarshalText(nil))
	require.True(t, text.IsZero())
	got, err := text.AppendText([]byte("x"))
	require.NoError(t, err)
	require.Equal(t, "x", string(got))
}

func TestKeyIsLoggedUnderOnePrefix(t *testing.T) {
	var b bytes.Buffer
	log := slog.New(slog.NewTextHandler(&b, nil))
	u, _ := identity.ParseKey("b7a969c9-5b8f-5d54-b361-6813b42580b6")
	log.Info("sent", "key", u)
	require.Contains(t, b.String(), "key=idem_b7a969c9-5b8f-5d54-b361-6813b42580b6")
	require.Equal(t, "", fmt.Sprint(identity.Key{}))
}

func TestSchemes(t *testing.T) {
	d, err := identity.Payload([]byte(`{"a":1}`))
	require.NoError(t, err)
	zero, err := identity.Scheme{}.Key(d)
	require.NoError(t, err)
	usual, err := identity.SHA256("idem_").Key(d)
	require.NoError(t, err)
	require.Equal(t, usual, zero)
	for name, s := range map[string]identity.Scheme{
		"sha256": identity.SHA256(""), "hmac": identity.HMAC("idem", make([]byte, 32)), "uuid5": identity.UUID5(uuid.Nil),
	} {
		require.Equal(t, name, s.Name())
		require.Error(t, s.Err())
		_, err := s.Key(d)
		require.Equal(t, s.Err(), err)
		_, err = identity.OpenAI().Key(chatRequest(message(`1`)), identity.Call{}, s)
		require.Equal(t, s.Err(), err)
	}
	require.ErrorContains(t, identity.HMAC("idem_", make([]byte, 15)).Err(), "at least 16")
	require.NoError(t, identity.HMAC("idem_", make([]byte, 16)).Err())
	secret := []byte("0123456789abcdef")
	s := identity.HMAC("idem_", secret)
	before, _ := s.Key(d)
	clear(secret)
	after, _ := s.Key(d)
	require.Equal(t, before, after)
	_, err = s.Key(identity.Document{})
	require.Error(t, err)
	space := uuid.MustParse("6ba7b811-9dad-11d1-80b4-00c04fd430c8")
	k, _ := identity.UUID5(space).Key(d)
	require.Equal(t, uuid.NewSHA1(space, d.Canonical()).String(), k.String())
}
