package llmtest

import (
	"bytes"
	"io"
	"sync"
)

// pipeLimit is how far the server writes ahead of its reader, about what the
// buffers of a connection hold.
const pipeLimit = 64 << 10

// A pipe is a response body in memory: like io.Pipe with a buffer, and with an end
// that can come at once or after what is buffered. It waits on a condition, which
// counts as durably blocked in a synctest bubble.
type pipe struct {
	mu   sync.Mutex
	cond *sync.Cond
	buf  bytes.Buffer
	end  error // for the reader, once the buffer is empty
	gone bool  // the reader will not come back
}

func newPipe() *pipe {
	p := &pipe{}
	p.cond = sync.NewCond(&p.mu)
	return p
}

func (p *pipe) Write(b []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	written := 0
	for {
		for p.buf.Len() >= pipeLimit && p.end == nil && !p.gone {
			p.cond.Wait()
		}
		if p.end != nil || p.gone {
			return written, io.ErrClosedPipe
		}
		n := min(len(b), pipeLimit-p.buf.Len())
		p.buf.Write(b[:n])
		written += n
		b = b[n:]
		p.cond.Broadcast()
		if len(b) == 0 {
			return written, nil
		}
	}
}

func (p *pipe) Read(b []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(b) == 0 {
		return 0, nil
	}
	for p.buf.Len() == 0 && p.end == nil {
		p.cond.Wait()
	}
	if p.buf.Len() == 0 {
		return 0, p.end
	}
	n, _ := p.buf.Read(b)
	p.cond.Broadcast()
	return n, nil
}

// finish ends the body after what is buffered; the first end holds.
func (p *pipe) finish(err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.end == nil {
		p.end = err
		p.cond.Broadcast()
	}
}

// fail ends the body at once: what is buffered is lost. It overrides an end that
// the reader has not reached, as the end of a context does.
func (p *pipe) fail(err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.end == nil || p.buf.Len() > 0 {
		p.buf.Reset()
		p.end, p.gone = err, true
		p.cond.Broadcast()
	}
}
