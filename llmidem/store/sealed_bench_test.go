package store_test

import (
	"crypto/aes"
	"crypto/cipher"
	"fmt"
	"testing"

	"github.com/llmidem/llmidem-go/llmidem/store"
)

// BenchmarkSealed is sealing and opening beside AES-256-GCM alone under one key.
func BenchmarkSealed(b *testing.B) {
	key, f := sealKey(b, "2026-01", 1), store.Fingerprint{1}
	block, err := aes.NewCipher(make([]byte, 32))
	if err != nil {
		b.Fatal(err)
	}
	gcm, err := cipher.NewGCM(block)
	if err != nil {
		b.Fatal(err)
	}
	for _, size := range []int{1 << 10, 16 << 10, 1 << 20} {
		body := make([]byte, size)
		run := func(name string, f func()) {
			b.Run(fmt.Sprintf("%s/%d", name, size), func(b *testing.B) {
				b.SetBytes(int64(size))
				b.ReportAllocs()
				for b.Loop() {
					f()
				}
			})
		}
		run("seal", func() { _, _ = store.SealBody(key, "id", f, body) })
		run("GCM/seal", func() { _ = gcm.Seal(nil, make([]byte, 12), body, nil) })
		sealed, err := store.SealBody(key, "id", f, body)
		if err != nil {
			b.Fatal(err)
		}
		run("open", func() {
			if _, ok := store.OpenSealed(key, "id", f, sealed); !ok {
				b.Fatal("it does not open")
			}
		})
		alone := gcm.Seal(nil, make([]byte, 12), body, nil)
		run("GCM/open", func() { _, _ = gcm.Open(nil, make([]byte, 12), alone, nil) })
	}
}
