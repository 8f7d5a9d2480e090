package benchmarks

import (
	"bytes"
	"encoding/json"
	"testing"

	"github.com/llmidem/llmidem-go/llmidem/identity"
	"github.com/stretchr/testify/require"
)

// What is measured is what the names say, and is the same in every run.
func TestLoads(t *testing.T) {
	size := map[string]int{
		"chat, 1 KB": 1 << 10, "chat, 100 KB in 100 messages": 100 << 10, "image, 10 MB": 10 << 20, "ten images, 100 MB": 100 << 20,
		"integers, 35 KB": 35 << 10, "CJK text, 100 KB": 100 << 10, "10 MB under 256 unsorted objects": 10 << 20,
		"500,000 unsorted members": 5 << 20, "5 MB of [": 5 << 20, `600 KB of {"a":`: 600 << 10, "10 MB with a bad last base64 quad": 10 << 20,
	}
	loads := append(Loads(), HostileLoads()...)
	require.Len(t, loads, len(size))
	for _, l := range loads {
		body := l.Body()
		require.InEpsilon(t, size[l.Name], len(body), 0.07, l.Name)
		require.Equal(t, !l.Refused, json.Valid(body), l.Name)
		if len(body) < 50<<20 {
			require.True(t, bytes.Equal(body, l.Body()), l.Name)
		}
		require.Positive(t, l.Budget, l.Name)
		for name := range l.Lacks {
			require.Equal(t, Cyberphone, name)
		}
	}
}

// A contestant that failed at once would look fast.
func TestContestantsDoTheirWork(t *testing.T) {
	for _, l := range append(Loads(), HostileLoads()...) {
		body := l.Body()
		for i, c := range Contestants() {
			if _, ok := l.Lacks[c.Name]; ok || len(body) > 1<<20 && i > 1 {
				continue // the others take long over long bodies
			}
			require.Equal(t, !l.Refused || c.Name == SHA256, c.Run(l, body), "%s: %s", l.Name, c.Name)
		}
	}
}

// The attachments are attachments, and one bad quad makes text of one.
func TestImagesAreAttachments(t *testing.T) {
	for name, want := range map[string]int{"image, 10 MB": 1, "10 MB with a bad last base64 quad": 0} {
		for _, l := range append(Loads(), HostileLoads()...) {
			if l.Name != name {
				continue
			}
			d, err := identity.OpenAI().Identify(identity.Request{Path: l.Path, Body: l.Body()}, identity.Call{})
			require.NoError(t, err)
			require.Len(t, d.Explain().Attachments, want, name)
		}
	}
}

// The shape of a measurement; its times are the machine's.
func TestMeasure(t *testing.T) {
	all := Contestants()
	l := Loads()[0]
	r := Measure(all[0], all[1], l, l.Body(), 0)
	require.Equal(t, minSlices, r.Slices)
	require.Positive(t, r.Best)
	require.Positive(t, r.Median)
	require.InDelta(t, float64(r.Time)/float64(r.Floor), r.Best, 1e-9)
	loud := Contestant{Name: "loud", Run: func(Load, []byte) bool {
		return len(make([]byte, 1<<20)) > 0 && len(append([]byte(nil), l.Body()...)) > 0
	}}
	require.GreaterOrEqual(t, Measure(loud, all[1], l, l.Body(), 0).Allocs, 1.0)
}
