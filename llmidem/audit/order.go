package audit

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// Files returns the files of the log at path in the order of their records: those
// that were rotated away and lie beside it, and the one at path if there is one. The
// error is the operating system's.
func Files(path string) ([]string, error) {
	dir, _ := filepath.Split(path)
	old, err := rotated(path)
	if err != nil {
		return nil, fmt.Errorf("audit: %w", err)
	}
	var list []string
	for _, name := range old {
		list = append(list, dir+name)
	}
	if _, err := os.Lstat(path); err == nil {
		list = append(list, path)
	}
	return list, nil
}

// seqDigits are those of the first record in the name of a file that was rotated away.
const seqDigits = 16

// rotatedName is what the file of a log is called once it is full.
func rotatedName(path string, first uint64) string {
	ext := filepath.Ext(path)
	return fmt.Sprintf("%s-%0*d%s", strings.TrimSuffix(filepath.Base(path), ext), seqDigits, first, ext)
}

// rotated returns the names of the files that were rotated away, in their order.
func rotated(path string) ([]string, error) {
	dir := filepath.Dir(path)
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	ext := filepath.Ext(path)
	begin := strings.TrimSuffix(filepath.Base(path), ext) + "-"
	var list []string
	for _, e := range entries {
		number, ok := strings.CutPrefix(e.Name(), begin)
		number, end := strings.CutSuffix(number, ext)
		if n, err := strconv.ParseUint(number, 10, 64); ok && end && err == nil && rotatedName(path, n) == e.Name() {
			list = append(list, e.Name())
		}
	}
	return list, nil // ReadDir sorts, and numbers of one length sort as their texts do
}

// inOrder are files in the order of their first records. Where one does not begin with
// a record that has its hash, all stay in the order that they are named in: what the
// damaged one says must not move it.
func inOrder(paths []string, secrets []Secret) source {
	return func(yield func(file, error) bool) {
		type numbered struct {
			path string
			seq  uint64
		}
		list := make([]numbered, len(paths))
		sure := len(paths) > 1
		sums := newSums(secrets)
		for i, p := range paths {
			list[i].path = p
			if sure {
				list[i].seq, sure = firstOf(p, &sums)
			}
		}
		if sure {
			slices.SortStableFunc(list, func(a, b numbered) int { return cmp.Compare(a.seq, b.seq) })
		}
		ordered := make([]string, len(list))
		for i := range list {
			ordered[i] = list[i].path
		}
		eachFile(ordered)(yield)
	}
}

// firstOf is the number of a file's first record, beyond any for an empty file, which is
// the newest one.
func firstOf(path string, sums *sums) (seq uint64, ok bool) {
	f, err := os.Open(path)
	if err != nil {
		return 0, false // whoever reads it says why
	}
	defer func() { _ = f.Close() }() // it was read only
	in := readLines(f)
	defer in.done()
	line, err := in.next()
	if err != nil {
		return ^uint64(0), errors.Is(err, io.EOF) && len(line) == 0
	}
	s, fault := shapeOf(line)
	if fault != "" {
		return 0, false
	}
	mac := sums.macs[string(s.keyID)]
	if s.keyID != nil && mac == nil {
		return s.seq, true // the chain shows whether that is true
	}
	return s.seq, string(sums.of(s.body, mac)) == string(s.hash)
}
