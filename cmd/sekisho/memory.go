package main

import (
	"context"
	"math"
	"os"
	"path"
	"path/filepath"
	"runtime/debug"
	"runtime/metrics"
	"strconv"
	"strings"
	"time"
)

// gcPercent is how much the heap may grow between two collections, in per cent
// of what is alive. At 100, Go's own, a tenth of the time of a login goes into
// them; docs/performance.md has the figures.
const gcPercent = 200

// Where much is alive, gcPercent of it would be gigabytes of garbage: with a
// million sessions four fifths of the memory. Garbage of amplePercent, or ample
// octets if that is more, is enough for collections to be seldom.
const (
	ample        = 512 << 20
	amplePercent = 50
)

// Where the kernel tells of the process's control group.
const (
	cgroupFile = "/proc/self/cgroup"
	cgroupRoot = "/sys/fs/cgroup"
)

// tuneMemory sets what the collector goes by, unless the environment does by
// GOGC or GOMEMLIMIT: it collects less often than is usual, and more often where
// a container or systemd (MemoryMax=) gives the process little memory.
func tuneMemory(ctx context.Context) {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(gcPercent)
		go tuneAsItGrows(ctx)
	}
	if os.Getenv("GOMEMLIMIT") != "" {
		return
	}
	if limit := memoryLimit(cgroupFile, cgroupRoot); limit < math.MaxInt64 {
		debug.SetMemoryLimit(limit / 10 * 9) // the pages of the store's file and the goroutines' stacks need some
	}
}

// tuneAsItGrows goes by what is alive, which sessions are most of.
func tuneAsItGrows(ctx context.Context) {
	const often = time.Second // a restore of a million sessions takes ten
	live := []metrics.Sample{{Name: "/gc/heap/live:bytes"}}
	tick := time.NewTicker(often)
	defer tick.Stop()
	for set := gcPercent; ; {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		metrics.Read(live)
		if percent := percentFor(live[0].Value.Uint64()); percent != set { // to set it stops the world
			debug.SetGCPercent(percent)
			set = percent
		}
	}
}

// percentFor is by how much a heap of which so many octets are alive may grow,
// in steps of ten.
func percentFor(live uint64) int {
	percent := gcPercent
	if live > 0 {
		percent = int(min(ample*100/live, gcPercent))
	}
	return max(percent/10*10, amplePercent)
}

// memoryForPages is how many octets of the store's file may be kept in memory:
// half of what the machine can give, or the control group allows. The other half
// is for sessions and whatever else runs there.
func memoryForPages() int64 {
	return min(memoryAvailable("/proc/meminfo"), memoryLimit(cgroupFile, cgroupRoot)) / 2
}

// memoryAvailable reads an estimate of the kernel's (proc_meminfo(5)), in octets;
// 0 where there is none.
func memoryAvailable(file string) int64 {
	text, err := os.ReadFile(file)
	if err != nil {
		return 0
	}
	for line := range strings.Lines(string(text)) {
		if kb, ok := strings.CutPrefix(line, "MemAvailable:"); ok {
			n, _ := strconv.ParseInt(strings.TrimSuffix(strings.TrimSpace(kb), " kB"), 10, 64) // 0 of what is no number
			return n << 10
		}
	}
	return 0
}

// memoryLimit is the lowest memory.max of the process's control group and those
// that it is in, in octets; the greatest number where there is none. The file
// says which group it is (cgroups(7), version 2).
func memoryLimit(file, root string) int64 {
	text, err := os.ReadFile(file)
	if err != nil {
		return math.MaxInt64
	}
	limit := int64(math.MaxInt64)
	for line := range strings.Lines(string(text)) {
		group, ok := strings.CutPrefix(strings.TrimSpace(line), "0::")
		if !ok {
			continue
		}
		for group = path.Clean("/" + group); ; group = path.Dir(group) {
			limit = min(limit, memoryMax(filepath.Join(root, group, "memory.max")))
			if group == "/" {
				break
			}
		}
	}
	return limit
}

func memoryMax(file string) int64 {
	text, err := os.ReadFile(file)
	if err != nil {
		return math.MaxInt64
	}
	n, err := strconv.ParseInt(strings.TrimSpace(string(text)), 10, 64)
	if err != nil || n <= 0 {
		return math.MaxInt64 // "max"
	}
	return n
}
