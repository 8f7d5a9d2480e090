//go:build linux || darwin

package identity

import (
	"context"
	"crypto/sha256"
	"hash"
	"io"
	"os"
	"runtime"
	"runtime/debug"
	"syscall"
)

// hashMapped is hashFile by mapping the file, window by window.
func hashMapped(ctx context.Context, f *os.File, size int64) (*content, error) {
	c := &content{size: size}
	h := sha256.New()
	for at := int64(0); at < size; at += window {
		if ctx.Err() != nil {
			return nil, &AttachmentError{context.Cause(ctx)}
		}
		switch err := hashWindow(f, at, int(min(window, size-at)), h, c); {
		case err == errNotMapped && at > 0:
			return nil, io.ErrUnexpectedEOF // it was mapped before
		case err != nil:
			return nil, err
		}
	}
	h.Sum(c.sum[:0])
	return c, nil
}

// hashWindow hashes n bytes. Where the file ends before them, the system says so
// with a fault, which must not end the process.
func hashWindow(f *os.File, at int64, n int, h hash.Hash, c *content) (err error) {
	b, err := syscall.Mmap(int(f.Fd()), at, n, syscall.PROT_READ, mapFlags)
	if err != nil {
		return errNotMapped
	}
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer func() {
		_ = syscall.Munmap(b) // it was mapped
		if fault := recover(); fault != nil {
			if _, memory := fault.(interface {
				runtime.Error
				Addr() uintptr
			}); !memory {
				panic(fault)
			}
			err = io.ErrUnexpectedEOF
		}
	}()
	if at == 0 {
		c.media = mediaOf(b)
	}
	h.Write(b)
	return nil
}
