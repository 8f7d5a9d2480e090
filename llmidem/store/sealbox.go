package store

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"math"
	"time"
)

// SealOverhead is by how many bytes a sealed body is longer than the body, beside
// the length of the key's id: a store that keeps n bytes keeps n-SealOverhead-len(id)
// through [Sealed].
const SealOverhead = sealHead + sealTag

// The layout of a sealed body: version, length of the key's id, salt, created,
// expires, the key's id, then what AES-GCM makes of the body.
const (
	sealVersion = 1
	sealSalt    = 32
	sealTag     = 16
	atSealSalt  = 2
	atSealTimes = atSealSalt + sealSalt
	sealHead    = atSealTimes + 8 + 8

	sealKeySize   = 32 // AES-256
	sealNonceSize = 12
	sealInfo      = "llmidem/sealed/v1"
)

// sealEndless is when a record expires that does not.
const sealEndless = math.MaxInt64

// box is what a record is sealed for.
type box struct {
	id               string
	fingerprint      Fingerprint
	keyID            string
	created, expires int64 // nanoseconds since 1970
}

// aad is what is authenticated beside the body: each part with its length before
// it, so that no two boxes have one. The id stands for namespace, endpoint and
// key, whose digest it is.
func (b *box) aad() []byte {
	out := make([]byte, 0, 7*8+len(sealInfo)+len(b.id)+len(b.fingerprint)+len(b.keyID)+2*8)
	part := func(p ...byte) { out = append(binary.LittleEndian.AppendUint64(out, uint64(len(p))), p...) }
	part([]byte(sealInfo)...)
	part([]byte(b.id)...)
	part(b.fingerprint[:]...)
	part([]byte(b.keyID)...)
	part(binary.LittleEndian.AppendUint64(nil, uint64(b.created))...)
	part(binary.LittleEndian.AppendUint64(nil, uint64(b.expires))...)
	return out
}

// gcm is the cipher of one record, and its nonce: both are derived from the secret
// and a salt that no other record has, so that no two records share either.
func (k SealKey) gcm(salt []byte) (cipher.AEAD, []byte, error) {
	derived, err := hkdf.Key(sha256.New, k.secret(), salt, sealInfo, sealKeySize+sealNonceSize)
	if err != nil {
		return nil, nil, err
	}
	block, err := aes.NewCipher(derived[:sealKeySize])
	if err != nil {
		return nil, nil, err
	}
	aead, err := cipher.NewGCM(block)
	return aead, derived[sealKeySize:], err
}

// seal returns the sealed body in bytes of its own.
func (k SealKey) seal(b box, body []byte) ([]byte, error) {
	b.keyID = k.id
	head := sealHead + len(k.id)
	out := make([]byte, head, head+len(body)+sealTag)
	out[0], out[1] = sealVersion, byte(len(k.id))
	salt := out[atSealSalt : atSealSalt+sealSalt]
	rand.Read(salt) // never fails: crypto/rand, since Go 1.24
	binary.LittleEndian.PutUint64(out[atSealTimes:], uint64(b.created))
	binary.LittleEndian.PutUint64(out[atSealTimes+8:], uint64(b.expires))
	copy(out[sealHead:], k.id)
	aead, nonce, err := k.gcm(salt)
	if err != nil {
		return nil, err
	}
	return aead.Seal(out, nonce, body, b.aad()), nil
}

// keyring has the keys by their ids.
type keyring map[string]SealKey

// open returns the body that was sealed for that id and fingerprint, in bytes of
// its own, and when it expires.
func (ring keyring) open(id string, f Fingerprint, sealed []byte) (body []byte, expires int64, ok bool) {
	if len(sealed) < sealHead+sealTag || sealed[0] != sealVersion {
		return nil, 0, false
	}
	head := sealHead + int(sealed[1])
	if len(sealed) < head+sealTag {
		return nil, 0, false
	}
	k, ok := ring[string(sealed[sealHead:head])]
	if !ok {
		return nil, 0, false
	}
	b := box{
		id:          id,
		fingerprint: f,
		keyID:       k.id,
		created:     int64(binary.LittleEndian.Uint64(sealed[atSealTimes:])),
		expires:     int64(binary.LittleEndian.Uint64(sealed[atSealTimes+8:])),
	}
	aead, nonce, err := k.gcm(sealed[atSealSalt : atSealSalt+sealSalt])
	if err != nil {
		return nil, 0, false
	}
	body, err = aead.Open(nil, nonce, sealed[head:], b.aad())
	return body, b.expires, err == nil
}

// sealUntil is when a record expires that is kept so long from then on.
func sealUntil(now time.Time, ttl time.Duration) int64 {
	if end := now.UnixNano() + int64(ttl); ttl > 0 && end > now.UnixNano() {
		return end
	}
	return sealEndless
}
