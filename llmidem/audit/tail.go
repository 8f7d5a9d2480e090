package audit

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"io"
)

// tail is what is in a file from the first place at which the chain does not hold.
type tail struct {
	length int64
	sum    Hash
	// torn says that it is what writes that did not finish leave, and nothing that was
	// ever said to be in the log.
	torn bool
}

// zeros is how many zero bytes in a row only the file system writes, where data did not
// reach the disk before the power went; a changed bit makes one.
const zeros = 16

// readTail tells an end that was half written from one that was changed. The former is
// the beginning of one line, or has pieces that are all zero. No record that is intact
// is ever in it: one that is means that something before was changed.
func readTail(f io.ReaderAt, from, size int64, s sums) (t tail, err error) {
	in := readLines(io.NewSectionReader(f, from, size-from))
	defer in.done()
	digest := sha256.New()
	var lines, run int
	var blank, intact, changed bool
	for err == nil {
		var piece []byte
		piece, err = in.next()
		digest.Write(piece)
		ended := err == nil
		if errors.Is(err, errLong) {
			err = nil
		}
		blank = blank || t.length == 0 && len(piece) > 0 && piece[0] == 0
		run, blank = zeroRun(piece, run, blank)
		intact = intact || ended && s.intact(piece[bytes.LastIndexByte(piece, 0)+1:])
		if len(piece) > 0 {
			changed = !ended && isChangedEnd(piece)
		}
		t.length += int64(len(piece))
		if ended || t.length > maxLine {
			lines++
		}
	}
	if !errors.Is(err, io.EOF) {
		return t, err
	}
	digest.Sum(t.sum[:0])
	t.torn = !intact && !changed && (lines == 0 || blank)
	return t, nil
}

// zeroRun counts the zero bytes at the end of a piece, and says whether there were
// enough in a row.
func zeroRun(piece []byte, run int, blank bool) (int, bool) {
	if run == 0 && bytes.IndexByte(piece, 0) < 0 {
		return 0, blank
	}
	for _, c := range piece {
		if c != 0 {
			run = 0
		} else if run++; run >= zeros {
			blank = true
		}
	}
	return run, blank
}

// intact reports whether a line has its hash, wherever it belongs. One whose secret is
// not known is taken for intact.
func (s *sums) intact(line []byte) bool {
	sh, fault := shapeOf(line)
	if fault != "" {
		return false
	}
	mac := s.macs[string(sh.keyID)]
	if sh.keyID != nil && mac == nil {
		return true
	}
	return bytes.Equal(s.of(sh.body, mac), sh.hash)
}
