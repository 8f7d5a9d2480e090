package batch

import (
	"fmt"
	"io"
)

// A Sink is where the results go: [ToFile], [ToWriter], [ToFunc] or [ToNowhere].
type Sink struct {
	open func(*job) (writer, error)
}

// writer is an opened sink. It is used by one goroutine.
type writer interface {
	// write takes results, in the order in which they are to be written.
	write([]output) error
	// sync makes what was written last.
	sync() error
	close() error
}

// output is a result and the line that it is.
type output struct {
	result *Result
	line   []byte
}

// ToFile appends results to a file, which it makes if it is not there, and reads
// first: items that have their line in it are done. A last line that is torn is cut
// off; any other that is no result of this batch is an error, so that no file of
// somebody else's is written to. The file is locked while [Run] runs, on Linux, macOS
// and the BSDs.
//
// Lines are written as they come, and are in the file when the process is killed.
// They are synced to the disk at the end, and at once where an answer is too large
// for the state: what a power failure takes of the rest is written anew from there.
func ToFile(path string) Sink {
	return Sink{open: func(j *job) (writer, error) { return openResults(path, j) }}
}

// ToWriter writes all results to w: also of items that were answered by an earlier
// start, from the state. w stays the caller's to close.
func ToWriter(w io.Writer) Sink {
	return Sink{open: func(*job) (writer, error) { return &plainWriter{w}, nil }}
}

type plainWriter struct{ w io.Writer }

func (p *plainWriter) write(list []output) error {
	for _, o := range list {
		if _, err := p.w.Write(o.line); err != nil {
			return fmt.Errorf("batch: write the results: %w; what was answered is in the state", err)
		}
	}
	return nil
}

func (p *plainWriter) sync() error  { return nil }
func (p *plainWriter) close() error { return nil }

// ToFunc calls fn with each result, one after the other: also of items that were
// answered by an earlier start, from the state. An error of it ends the batch. The
// result is fn's to keep.
func ToFunc(fn func(Result) error) Sink {
	return Sink{open: func(*job) (writer, error) { return funcWriter(fn), nil }}
}

type funcWriter func(Result) error

func (f funcWriter) write(list []output) error {
	for _, o := range list {
		if err := f(*o.result); err != nil {
			return fmt.Errorf("batch: the function of ToFunc: %w; what was answered is in the state", err)
		}
	}
	return nil
}

func (f funcWriter) sync() error  { return nil }
func (f funcWriter) close() error { return nil }

// ToNowhere leaves the results in the state, for [Collect].
func ToNowhere() Sink {
	return ToFunc(func(Result) error { return nil })
}
