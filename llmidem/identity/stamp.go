package identity

import (
	"errors"
	"io/fs"
	"os"
	"time"
)

// settled is how long before its hashing a file must have been left alone for its
// times to show every change after it: clocks of file systems are as coarse as this
// (FAT: two seconds).
const settled = 2 * time.Second

// stamp is what tells one state of a file from another.
type stamp struct {
	info   fs.FileInfo
	change time.Time // of the inode, which nobody can set back; zero where there is none
}

func stampOf(info fs.FileInfo) stamp {
	os.SameFile(info, info) // Windows looks the file's number up when it is first asked for
	return stamp{info, changeTime(info)}
}

func (s stamp) size() int64 { return s.info.Size() }

func (s stamp) same(t stamp) bool {
	return s.info.Size() == t.info.Size() && s.info.ModTime().Equal(t.info.ModTime()) &&
		s.change.Equal(t.change) && os.SameFile(s.info, t.info)
}

// racy reports whether the file was touched so shortly before or during its hashing
// that it may change once more without its times showing it.
func (s stamp) racy(begun, ended time.Time) bool {
	recent := begun.Add(-settled)
	mod := s.info.ModTime() // which anybody can set, so one far ahead says nothing
	return s.change.After(recent) || mod.After(recent) && mod.Before(ended.Add(settled))
}

var errNotRegular = errors.New("not a regular file")

// statFile is os.Stat for regular files.
func statFile(path string) (fs.FileInfo, error) {
	info, err := os.Stat(path)
	if err == nil && !info.Mode().IsRegular() {
		err = &fs.PathError{Op: "open", Path: path, Err: errNotRegular}
	}
	return info, err
}

// openFile opens a regular file. Others are not opened at all, since that can wait
// (a pipe) or do something (a tape); and it does not wait for what has taken the
// file's place in between.
func openFile(path string) (*os.File, stamp, error) {
	if _, err := statFile(path); err != nil {
		return nil, stamp{}, err
	}
	f, err := os.OpenFile(path, os.O_RDONLY|openNoWait, 0)
	if err != nil {
		return nil, stamp{}, err
	}
	info, err := f.Stat()
	if err == nil && !info.Mode().IsRegular() {
		err = &fs.PathError{Op: "open", Path: path, Err: errNotRegular}
	}
	if err != nil {
		_ = f.Close() // nothing was read
		return nil, stamp{}, err
	}
	return f, stampOf(info), nil
}

// withoutPath is an error of a file for those who never named it: a log, the other
// end of a call.
func withoutPath(err error) error {
	var own *AttachmentError
	if errors.As(err, &own) {
		return own
	}
	var of *fs.PathError
	if errors.As(err, &of) {
		err = of.Err
	}
	return &AttachmentError{err}
}
