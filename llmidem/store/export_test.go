package store

import "time"

// SealedAt is Sealed with a clock.
func SealedAt(now func() time.Time, s Store, keys ...SealKey) (*SealedStore, error) {
	sealed, err := Sealed(s, keys...)
	if err == nil {
		sealed.now = now
	}
	return sealed, err
}

// OpenSealed opens a sealed body as a SealedStore with that key does.
func OpenSealed(k SealKey, id string, f Fingerprint, sealed []byte) ([]byte, bool) {
	body, _, ok := keyring{k.id: k}.open(id, f, sealed)
	return body, ok
}

// SealBody seals a body as a SealedStore with that key does.
func SealBody(k SealKey, id string, f Fingerprint, body []byte) ([]byte, error) {
	return k.seal(box{id: id, fingerprint: f, expires: sealEndless}, body)
}
