package audit

// SyncFile is what the log brings a file to the disk with.
var SyncFile = syncFile
