package audit

// SyncFile is what the log brings a file to the disk with.
var SyncFile = syncFile

// BreakFile has every write and sync of the log fail from now on. No record may be on
// its way.
func (l *Log) BreakFile() error { return l.writer.file.Close() }

// SetQueue sets how many bytes may wait for the disk. No record may be on its way.
func (l *Log) SetQueue(bytes int) { l.mostQueued = bytes }
