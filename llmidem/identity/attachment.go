package identity

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"runtime"
	"strings"
	"sync"
	"unicode/utf8"
)

// An Attachment is a handle of content that is sent along with a call, such as an
// image or a document: a file, a slice or a reader. It is hashed once, when it is
// made, and stands in a request as a short placeholder, for which the content is
// read while the request is sent; so neither its size nor the number of calls that
// carry it costs memory, marshalling or another hash. Give it to the calls with
// llmidem.WithAttachments (package identity: [Request].Attachments).
//
// A file may change. Whenever its digest counts it is stat-ed again, and hashed
// again if size, times or inode are others, or if it was touched within two seconds
// of the hashing, which its times might not show. A call under a placeholder of what
// the file held before is refused with [ErrChanged], as is an attempt during which
// it changes. Nothing is remembered from one handle to the next.
//
// An Attachment is safe for concurrent use. It holds no open file. Make one with
// [File], [Bytes] or [Reader]; the zero Attachment holds nothing and has no placeholder.
type Attachment struct {
	from  *origin
	token string // 128 random bits, in hexadecimal
	media string
	given bool // media was
}

// ErrChanged says that the content of an attachment is not what was hashed. It is
// the cause of an [*AttachmentError].
var ErrChanged = errors.New("the content changed since it was hashed")

// An AttachmentError says why the content of an attachment cannot be sent. Its text
// names neither file nor content.
type AttachmentError struct {
	// Err is the cause: [ErrChanged], the system's error (fs.ErrNotExist,
	// fs.ErrPermission), the reader's, or the context's.
	Err error
}

// Error returns the cause.
func (e *AttachmentError) Error() string { return "identity: attachment: " + e.Err.Error() }

// Unwrap returns Err.
func (e *AttachmentError) Unwrap() error { return e.Err }

// File returns a handle of a regular file, which is read and hashed now and stays
// closed until it is sent. Directories, devices, pipes and sockets are refused
// without being opened. A relative path is taken from the working directory of now.
// The error is an [*fs.PathError], or [ErrChanged] for a file that is being written.
func File(path string) (*Attachment, error) {
	o, err := newFile(path)
	if err != nil {
		return nil, err
	}
	return newAttachment(o), nil
}

// Files is [File] for several paths, side by side, in the order of the paths. Where
// one fails there are no handles; the error is of the first path that fails.
func Files(paths ...string) ([]*Attachment, error) {
	all, errs := make([]*Attachment, len(paths)), make([]error, len(paths))
	slots := make(chan struct{}, runtime.GOMAXPROCS(0))
	var group sync.WaitGroup
	for i, path := range paths {
		slots <- struct{}{}
		group.Go(func() {
			all[i], errs[i] = File(path)
			<-slots
		})
	}
	group.Wait()
	for _, err := range errs {
		if err != nil {
			return nil, err
		}
	}
	return all, nil
}

// Bytes returns a handle of content in memory. It keeps b, which must not change as
// long as the handle is used; a send that meets other bytes fails with [ErrChanged].
func Bytes(b []byte) *Attachment {
	return newAttachment(newBytes(b))
}

// Reader returns a handle of the first size bytes that r reads; they are read and
// hashed now, and again whenever they are sent, also at the same time. They must not
// change as long as the handle is used; a send that meets other bytes fails with
// [ErrChanged]. The error is an [*AttachmentError] with r's own error, or
// [io.ErrUnexpectedEOF] where there is less.
func Reader(r io.ReaderAt, size int64) (*Attachment, error) {
	if r == nil || size < 0 {
		return nil, &AttachmentError{fmt.Errorf("a nil reader, or a size of %d bytes", size)}
	}
	o, err := newReader(r, size)
	if err != nil {
		return nil, err
	}
	return newAttachment(o), nil
}

func newAttachment(o *origin) *Attachment {
	var token [16]byte
	rand.Read(token[:]) // never fails: crypto/rand, since Go 1.24
	return &Attachment{from: o, token: hex.EncodeToString(token[:])}
}

// As returns a handle of the same content under another media type, which stands in
// data URIs and counts there: up to 255 bytes of UTF-8 without commas, quotes,
// backslashes and control characters, as in "application/pdf"; "" for none. The
// content is not read again.
func (a *Attachment) As(mediaType string) (*Attachment, error) {
	bad := func(r rune) bool { return r < 0x20 || r == 0x7f || r == ',' || r == '"' || r == '\\' }
	if len(mediaType) > maxMedia || !utf8.ValidString(mediaType) || strings.ContainsFunc(mediaType, bad) {
		return nil, fmt.Errorf("identity: attachment: %.300q is no media type; use one like application/pdf", mediaType)
	}
	b := newAttachment(a.from)
	b.media, b.given = mediaType, true
	return b, nil
}

// Digest returns "sha256:" and the hexadecimal SHA-256 of the content, as the
// identity document has it. Of a file it is what the last look at it found.
func (a *Attachment) Digest() string {
	c := a.from.last()
	return "sha256:" + hex.EncodeToString(c.sum[:])
}

// Size returns the bytes of the content, found like Digest.
func (a *Attachment) Size() int64 { return a.from.last().size }

// MediaType returns the media type that [Attachment.As] was given, else what
// [net/http.DetectContentType] makes of the content, written without blanks as data
// URIs are.
func (a *Attachment) MediaType() string {
	if a.given {
		return a.media
	}
	return a.from.last().media
}

// DataURI returns the placeholder of data:MEDIATYPE;base64,CONTENT. It goes where a
// provider takes a data URI, as the whole of a string of the prompt: the url of
// go-openai's ImageURL, image_url and file_data of the Responses API. Inside longer
// text and outside of the prompt it is text like any other.
//
// Placeholders are short, differ from handle to handle, and mean something in calls
// that were given the handle and nowhere else. Of a file that changed they are new:
// take them when the request is made, and keep none for other content.
func (a *Attachment) DataURI() string { return a.placeholder(kindURI) }

// Base64 returns the placeholder of the content in base64. It goes where the
// provider's rules have a [Place] of base64: data of Anthropic's source and of
// Gemini's inlineData, images of Ollama. For a field that is a []byte, which
// encoding/json writes as base64, []byte(a.Base64()) is right. See
// [Attachment.DataURI] for what holds of all placeholders.
func (a *Attachment) Base64() string { return a.placeholder(kindBase64) }

// Raw returns the placeholder of the content itself, which goes into a multipart
// form as the whole of a file part: strings.NewReader(a.Raw()) where an SDK takes a
// reader. See [Attachment.DataURI] for what holds of all placeholders.
func (a *Attachment) Raw() string { return a.placeholder(kindRaw) }

func (a *Attachment) placeholder(k kind) string {
	if a.from == nil {
		return ""
	}
	c, err := a.from.current(context.Background(), false)
	if err != nil {
		c = a.from.last() // the call will say what is wrong
	}
	return holderPrefix + string(k) + ":" + hex.EncodeToString(c.sum[:]) + ":" + a.token
}
