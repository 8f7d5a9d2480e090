package holder

import (
	"bufio"
	"fmt"
	"os"
	"strings"
	"syscall"
)

// Of says where the file at path is locked by flock, if the kernel tells: it does not
// where that process is in another container.
func Of(path string) string {
	var st syscall.Stat_t
	if syscall.Stat(path, &st) != nil {
		return ""
	}
	f, err := os.Open("/proc/locks")
	if err != nil {
		return ""
	}
	defer func() { _ = f.Close() }()
	// 1: FLOCK  ADVISORY  WRITE 4711 fd:01:123456 0 EOF
	for lines := bufio.NewScanner(f); lines.Scan(); {
		var kind, advisory, mode string
		var n, pid int
		var major, minor, inode uint64
		_, err := fmt.Sscanf(lines.Text(), "%d: %s %s %s %d %x:%x:%d", &n, &kind, &advisory, &mode, &pid, &major, &minor, &inode)
		if err != nil || kind != "FLOCK" || inode != st.Ino || dev(major, minor) != uint64(st.Dev) || pid <= 0 {
			continue
		}
		if pid == os.Getpid() {
			return " in this process already"
		}
		return fmt.Sprintf(" in process %d%s", pid, name(pid))
	}
	return ""
}

// dev is the number of a device as stat has it.
func dev(major, minor uint64) uint64 {
	return minor&0xff | (major&0xfff)<<8 | (minor&^0xff)<<12 | (major&^0xfff)<<32
}

// name is what a process is called, if that can be seen.
func name(pid int) string {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/comm", pid))
	if err != nil {
		return ""
	}
	return fmt.Sprintf(" (%.32s)", strings.TrimSpace(string(b)))
}
