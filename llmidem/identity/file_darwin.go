package identity

import (
	"io/fs"
	"syscall"
	"time"
)

const (
	openNoWait = syscall.O_NONBLOCK
	mapFlags   = syscall.MAP_SHARED
)

func changeTime(info fs.FileInfo) time.Time {
	if st, ok := info.Sys().(*syscall.Stat_t); ok {
		return time.Unix(st.Ctimespec.Sec, st.Ctimespec.Nsec)
	}
	return time.Time{}
}
