package store

import (
	"bufio"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
)

// holder says who holds the lock of the file, as " (pid 12, sekisho)", or
// nothing where that cannot be found out: it only completes a message.
func holder(path string) string {
	info, err := os.Stat(path)
	if err != nil {
		return ""
	}
	pid := lockingPID(info)
	if pid == 0 {
		pid = openingPID(info)
	}
	if pid == 0 {
		return ""
	}
	name, err := os.ReadFile(fmt.Sprintf("/proc/%d/comm", pid))
	if err != nil {
		return fmt.Sprintf(" (pid %d)", pid)
	}
	return fmt.Sprintf(" (pid %d, %s)", pid, strings.TrimSpace(string(name)))
}

// lockingPID looks for the file in /proc/locks, which anyone may read.
func lockingPID(info fs.FileInfo) int {
	st, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return 0
	}
	dev := uint64(st.Dev) //nolint:unconvert // the type differs between platforms
	inode := fmt.Sprintf("%02x:%02x:%d", unix.Major(dev), unix.Minor(dev), st.Ino)
	f, err := os.Open("/proc/locks")
	if err != nil {
		return 0
	}
	defer f.Close()
	return findLock(bufio.NewScanner(f), inode)
}

// findLock reads lines like "1: FLOCK  ADVISORY  WRITE 4711 fe:00:1234 0 EOF".
// Waiters ("1: -> FLOCK") and holders outside our pid namespace (pid 0 or
// less) are no answer.
func findLock(lines *bufio.Scanner, inode string) int {
	for lines.Scan() {
		f := strings.Fields(lines.Text())
		if len(f) < 6 || f[1] != "FLOCK" || f[5] != inode {
			continue
		}
		if pid, err := strconv.Atoi(f[4]); err == nil && pid > 0 {
			return pid
		}
	}
	return 0
}

// openingPID looks for another process that has the file open; it sees what
// this user may see. File systems whose device number in /proc/locks is not
// that of stat (btrfs, overlayfs) need it.
func openingPID(info fs.FileInfo) int {
	links, _ := filepath.Glob("/proc/[0-9]*/fd/*")
	for _, link := range links {
		pid, _ := strconv.Atoi(strings.Split(link, "/")[2])
		if pid == os.Getpid() {
			continue
		}
		if target, err := os.Stat(link); err == nil && os.SameFile(info, target) {
			return pid
		}
	}
	return 0
}
