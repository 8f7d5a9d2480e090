package llmidem

import (
	"context"
	"errors"
	"io"
	"sync"
	"sync/atomic"
	"syscall"

	"github.com/llmidem/llmidem-go/llmidem/identity"
	"github.com/llmidem/llmidem-go/llmidem/internal/semconv"
)

// WithAttachments lets the calls made with the context carry content by handle: a
// file is hashed once, stands in each request as a short placeholder, and is read
// while the request is sent.
//
//	file, err := identity.File("report.pdf")
//	part := openai.ChatMessagePart{Type: openai.ChatMessagePartTypeImageURL, ImageURL: &openai.ChatMessageImageURL{URL: file.DataURI()}}
//	res, err := llmidem.Call(llmidem.WithAttachments(ctx, file), api.CreateChatCompletion, req)
//
// Key and bytes on the wire are those of the request with the content inline. A
// placeholder whose handle the context does not have is CodeInvalid, and so is one
// of content that has changed since; nothing is sent then. Where the content changes
// while it is sent, the call is CodeFailed with [identity.ErrChanged] in its chain,
// and is not repeated: the request was shorter than its Content-Length says, so that
// it was not executed, and nothing is kept of it. (After an earlier attempt that may
// have been executed it is CodeAmbiguous.)
//
// The attachments are added to those that the context has. A request that is no
// inference call passes untouched, its placeholders included. Config.MaxBody counts
// the placeholders, not the content.
func WithAttachments(ctx context.Context, attachments ...*identity.Attachment) context.Context {
	all := attachmentsOf(ctx)
	return context.WithValue(ctx, attachmentsKey, append(all[:len(all):len(all)], attachments...))
}

func attachmentsOf(ctx context.Context) []*identity.Attachment {
	all, _ := ctx.Value(attachmentsKey).([]*identity.Attachment)
	return all
}

// sending is the body of one attempt.
type sending struct {
	io.ReadCloser
	size int64
}

// openBody is the body from its beginning, with content in place of placeholders.
// The error is an [*identity.AttachmentError]; nothing has been sent then.
func (c *call) openBody(ctx context.Context) (sending, error) {
	splices := c.doc.Splices()
	if splices == nil {
		return sending{c.body.open(), c.body.size()}, nil
	}
	size := c.body.size()
	c.body.hold()
	r, err := splices.Open(ctx, c.body.reader(), size)
	if err != nil {
		c.body.release()
		return sending{}, err
	}
	return sending{&spliced{ReadCloser: r, progress: c.progress, release: sync.OnceFunc(c.body.release)}, splices.Size(size)}, nil
}

// failure is why the content of an attachment could not be sent to its end.
func (s sending) failure() error {
	if r, ok := s.ReadCloser.(*spliced); ok {
		if f := r.failed.Load(); f != nil {
			return f
		}
	}
	return nil
}

// spliced is a body with attachments. It notes why one could not be read: what the
// transport makes of that error does not matter.
type spliced struct {
	io.ReadCloser
	progress *progress
	release  func()
	failed   atomic.Pointer[identity.AttachmentError]
}

func (s *spliced) Read(p []byte) (int, error) {
	n, err := s.ReadCloser.Read(p)
	var own *identity.AttachmentError
	if err != nil && errors.As(err, &own) && !isContextError(own) {
		s.failed.Store(own)
		s.progress.spoiled.Store(true)
	}
	return n, err
}

func (s *spliced) Close() error {
	err := s.ReadCloser.Close()
	s.release()
	return err
}

func isContextError(err error) bool {
	return errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded)
}

// endOfContent is the end of an attempt whose attachments cannot be sent, or not to
// their end. What arrived of the request, if anything, was not executed: it is
// shorter than its Content-Length says.
func endOfContent(ctx context.Context, err error) ending {
	e := ending{class: classFinal, final: true, content: true, err: err, errType: semconv.ErrorInvalid,
		reason: "an attachment could not be sent" + contentDetail(err)}
	if ctx.Err() != nil { // the call's own end, before anything was sent
		e.class, e.content = classNotSent, false
		e.endedBy(context.Cause(ctx))
	}
	return e
}

// contentDetail is what may be said of why content could not be read: not what a
// caller's own reader says.
func contentDetail(err error) string {
	var system syscall.Errno
	switch {
	case errors.Is(err, identity.ErrChanged):
		return ": " + identity.ErrChanged.Error()
	case errors.As(err, &system):
		return ": " + system.Error()
	}
	return ""
}
