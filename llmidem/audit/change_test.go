package audit_test

import (
	"bytes"
	"errors"
	"os"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/llmidem/llmidem-go/llmidem/audit"
)

// broken is the error of a log that must not hold.
func broken(t testing.TB, content []byte, c audit.Check) *audit.BrokenError {
	t.Helper()
	_, err := verify(content, c)
	var b *audit.BrokenError
	require.ErrorAs(t, err, &b)
	require.ErrorIs(t, err, audit.ErrBroken)
	require.Equal(t, b.Torn, errors.Is(err, audit.ErrTorn))
	return b
}

// TestA1_AnyBit flips every bit of a log, with and without a secret: the first broken
// record is the one that it is in, or the one behind it for the end of its line.
func TestA1_AnyBit(t *testing.T) {
	key := secret(t, "k1")
	for name, c := range map[string]struct {
		opts  []audit.Option
		check audit.Check
	}{
		"plain": {},
		"hmac":  {[]audit.Option{audit.WithHMAC(key)}, audit.Check{Secrets: []audit.Secret{key}}},
	} {
		t.Run(name, func(t *testing.T) {
			content, head := sample(t, c.opts...)
			r, err := verify(content, c.check)
			require.NoError(t, err)
			require.Equal(t, head, r.Head)
			require.EqualValues(t, 7, r.Records)
			offset := 0
			for i, line := range linesOf(bytes.Clone(content)) {
				for at := range line {
					for bit := range 8 {
						content[offset+at] ^= 1 << bit
						_, err := verify(content, c.check)
						var b *audit.BrokenError
						if !errors.As(err, &b) || b.Sequence != uint64(i+1) || b.Line != int64(i+1) || b.Offset != int64(offset) || b.Torn {
							t.Fatalf("byte %d, bit %d: %v", offset+at, bit, err)
						}
						content[offset+at] ^= 1 << bit
					}
				}
				offset += len(line)
			}
		})
	}
}

// TestA1_AnyBitAtOpen opens a log with a changed bit: nothing is taken for a record half
// written, and nothing is cut.
func TestA1_AnyBitAtOpen(t *testing.T) {
	content, _ := sample(t)
	path := memoryPath(t)
	for at := range content {
		changed := bytes.Clone(content)
		changed[at] ^= 1 << (at % 8)
		require.NoError(t, os.WriteFile(path, changed, 0o600))
		_, err := audit.Open(path)
		require.ErrorIs(t, err, audit.ErrBroken, "byte %d", at)
		require.NotErrorIs(t, err, audit.ErrTorn)
		now, err := os.ReadFile(path)
		require.NoError(t, err)
		require.Equal(t, changed, now)
	}
}

// TestA1_DroppedRepeatedMoved does so with each record and each pair.
func TestA1_DroppedRepeatedMoved(t *testing.T) {
	content, head := sample(t)
	lines := linesOf(content)
	join := func(l [][]byte) []byte { return bytes.Join(l, nil) }
	for i := range lines {
		if i < len(lines)-1 { // the last one is a cut tail
			b := broken(t, join(slices.Delete(slices.Clone(lines), i, i+1)), audit.Check{})
			require.EqualValues(t, i+1, b.Sequence, "dropped")
		}
		for j := i; j < len(lines); j++ {
			b := broken(t, join(slices.Insert(slices.Clone(lines), j+1, lines[i])), audit.Check{})
			require.EqualValues(t, j+2, b.Sequence, "repeated")
			if i != j {
				l := slices.Clone(lines)
				l[i], l[j] = l[j], l[i]
				require.EqualValues(t, i+1, broken(t, join(l), audit.Check{}).Sequence, "swapped")
			}
		}
	}
	l := slices.Delete(slices.Clone(lines), 6, 7)
	require.EqualValues(t, 7, broken(t, join(l), audit.Check{Head: head}).Sequence)
	b := broken(t, join(append(slices.Clone(lines), []byte("\n"))), audit.Check{})
	require.EqualValues(t, 8, b.Sequence, "an empty line")
}

// TestA1_MadeAnew: a chain that was made anew from a record on holds, and is not the
// one that an anchor names.
func TestA1_MadeAnew(t *testing.T) {
	_, head := sample(t)
	other, _ := sample(t, audit.WithPlainUsers())
	_, err := verify(other, audit.Check{})
	require.NoError(t, err)
	b := broken(t, other, audit.Check{Head: head})
	require.EqualValues(t, 7, b.Sequence)
	require.Contains(t, b.Reason, "the head names")
	key, wrong := secret(t, "k1"), secret(t, "k1x")
	require.NotEqual(t, key.ID(), wrong.ID())
	b = broken(t, other, audit.Check{Secrets: []audit.Secret{key}})
	require.EqualValues(t, 1, b.Sequence)
	require.Contains(t, b.Reason, "no HMAC")
}

// TestA2_Tail cuts the log after each record: that is noticed with an anchor only.
func TestA2_Tail(t *testing.T) {
	content, head := sample(t)
	lines := linesOf(content)
	for n := 1; n < len(lines); n++ {
		cut := bytes.Join(lines[:n], nil)
		r, err := verify(cut, audit.Check{})
		require.NoError(t, err)
		b := broken(t, cut, audit.Check{Head: head})
		require.EqualValues(t, n+1, b.Sequence)
		require.Contains(t, b.Reason, "cut off")
		require.False(t, b.Torn)
		_, err = verify(content, audit.Check{Head: r.Head}) // an older anchor
		require.NoError(t, err)
	}
	require.ErrorIs(t, broken(t, nil, audit.Check{}), audit.ErrTorn)
	require.NotErrorIs(t, broken(t, nil, audit.Check{Head: head}), audit.ErrTorn)
}
