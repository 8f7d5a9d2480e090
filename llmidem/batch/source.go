package batch

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"os"
)

// A Source is where the items of a batch are read from: [FromFile], [FromReader],
// [FromItems] or [FromSeq].
type Source struct {
	name string
	open func(context.Context) (*input, error)
}

// FromFile reads items from a file, a JSON object a line. The file is read several
// times, and must not change meanwhile.
func FromFile(path string) Source {
	return Source{name: path, open: func(context.Context) (*input, error) {
		f, err := os.Open(path)
		if err != nil {
			return nil, fmt.Errorf("batch: the input: %w", err)
		}
		info, err := f.Stat()
		if err == nil && !info.Mode().IsRegular() {
			in, err := spool(path, func(w io.Writer) error { _, err := io.Copy(w, f); return err })
			return in, errors.Join(err, f.Close())
		}
		if err != nil {
			return nil, errors.Join(err, f.Close())
		}
		return &input{name: path, file: f, info: info}, nil
	}}
}

// FromReader reads items from r to its end, a JSON object a line, into a temporary
// file (see [os.TempDir]) that is deleted afterwards. The name is for messages.
func FromReader(name string, r io.Reader) Source {
	return Source{name: name, open: func(context.Context) (*input, error) {
		return spool(name, func(w io.Writer) error { _, err := io.Copy(w, r); return err })
	}}
}

// FromItems takes items that are in memory. It reads the slice while [Run] runs, and
// does not change it.
func FromItems(items []Item) Source {
	return FromSeq(func(yield func(Item, error) bool) {
		for _, it := range items {
			if !yield(it, nil) {
				return
			}
		}
	})
}

// FromSeq takes items from an iterator, which is run once, into a temporary file. An
// error that it yields ends [Run] before anything is sent.
func FromSeq(seq iter.Seq2[Item, error]) Source {
	const name = "the items"
	return Source{name: name, open: func(ctx context.Context) (*input, error) {
		return spool(name, func(w io.Writer) error { return writeItems(ctx, w, seq) })
	}}
}

func writeItems(ctx context.Context, w io.Writer, seq iter.Seq2[Item, error]) error {
	n := 0
	for it, err := range seq {
		if err = errors.Join(err, ctx.Err()); err != nil {
			return err
		}
		n++
		if it.Method == "" {
			it.Method = "POST"
		}
		if it.Body == nil {
			it.Body = json.RawMessage("null")
		}
		text, err := json.Marshal(it)
		if err != nil {
			return fmt.Errorf("batch: item %d has a body that is no JSON", n)
		}
		if _, err := w.Write(append(text, '\n')); err != nil {
			return err
		}
	}
	return nil
}

// input is an opened source: a file, which can be read again.
type input struct {
	name   string
	file   *os.File
	info   os.FileInfo
	delete bool
}

// spool makes an input of what write writes.
func spool(name string, write func(io.Writer) error) (_ *input, err error) {
	f, err := os.CreateTemp("", "llmidem-batch-*.jsonl")
	if err != nil {
		return nil, fmt.Errorf("batch: the temporary copy of %s: %w", name, err)
	}
	in := &input{name: name, file: f, delete: true}
	w := bufio.NewWriterSize(f, 256<<10)
	err = write(w)
	err = errors.Join(err, w.Flush())
	if err == nil {
		in.info, err = f.Stat()
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("batch: read %s: %w", name, err), in.close())
	}
	return in, nil
}

func (in *input) close() error {
	err := in.file.Close()
	if in.delete {
		err = errors.Join(err, os.Remove(in.file.Name()))
	}
	return err
}

// errChanged ends a batch whose input was written to meanwhile.
var errChanged = errors.New("batch: the input changed while it was being read; start again when it is whole")

// rewind begins to read the input anew.
func (in *input) rewind() error {
	now, err := in.file.Stat()
	if err != nil {
		return err
	}
	if now.Size() != in.info.Size() || !now.ModTime().Equal(in.info.ModTime()) {
		return errChanged
	}
	_, err = in.file.Seek(0, io.SeekStart)
	return err
}
