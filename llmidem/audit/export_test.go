package audit

// SyncFile is what the log brings a file to the disk with.
var SyncFile = syncFile

// BreakFile has every write and sync of the log fail from now on. No record may be on
// its way.
func (l *Log) BreakFile() error { return l.writer.file.Close() }

// ShapeOf splits a line; it is for the fuzzer.
func ShapeOf(line []byte) (seq uint64, ok bool) {
	s, fault := shapeOf(line)
	return s.seq, fault == ""
}
