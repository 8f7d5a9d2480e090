package identity

import (
	"io/fs"
	"syscall"
	"time"
)

const (
	openNoWait = syscall.O_NONBLOCK
	mapFlags   = syscall.MAP_SHARED | syscall.MAP_POPULATE
)

func changeTime(info fs.FileInfo) time.Time {
	if st, ok := info.Sys().(*syscall.Stat_t); ok {
		return time.Unix(int64(st.Ctim.Sec), int64(st.Ctim.Nsec)) // of 32 bits on some machines
	}
	return time.Time{}
}
