package main

import (
	"math"
	"os"
	"path/filepath"
	"testing"
)

func TestMemoryLimit(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		group string
		max   map[string]string // by directory
		want  int64
	}{
		"none":                  {"0::/system.slice/sekisho.service\n", nil, math.MaxInt64},
		"said to be none":       {"0::/system.slice/sekisho.service\n", map[string]string{"system.slice/sekisho.service": "max\n"}, math.MaxInt64},
		"that of the service":   {"0::/system.slice/sekisho.service\n", map[string]string{"system.slice/sekisho.service": "1000\n", "system.slice": "2000\n"}, 1000},
		"that of the slice":     {"0::/system.slice/sekisho.service\n", map[string]string{"system.slice/sekisho.service": "max\n", "system.slice": "2000\n"}, 2000},
		"that of a container":   {"0::/\n", map[string]string{"": "500\n"}, 500},
		"beside groups of old":  {"12:memory:/x\n0::/a\n", map[string]string{"a": "700\n", "x": "1\n"}, 700},
		"groups of old only":    {"12:memory:/x\n", map[string]string{"x": "1\n"}, math.MaxInt64},
		"nothing that is a sum": {"0::/a\n", map[string]string{"a": "0\n"}, math.MaxInt64},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			root := t.TempDir()
			file := filepath.Join(root, "cgroup")
			if err := os.WriteFile(file, []byte(test.group), 0o600); err != nil {
				t.Fatal(err)
			}
			for dir, text := range test.max {
				if err := os.MkdirAll(filepath.Join(root, dir), 0o700); err != nil {
					t.Fatal(err)
				}
				if err := os.WriteFile(filepath.Join(root, dir, "memory.max"), []byte(text), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			if got := memoryLimit(file, root); got != test.want {
				t.Errorf("%d, want %d", got, test.want)
			}
		})
	}
}

func TestMemoryAvailable(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		text string
		want int64
	}{
		"as Linux says it":       {"MemTotal:       24684040 kB\nMemFree:        23700228 kB\nMemAvailable:   24119772 kB\n", 24119772 << 10},
		"a kernel without":       {"MemTotal:       24684040 kB\nMemFree:        23700228 kB\n", 0},
		"something else than kB": {"MemAvailable: much\n", 0},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			file := filepath.Join(t.TempDir(), "meminfo")
			if err := os.WriteFile(file, []byte(test.text), 0o600); err != nil {
				t.Fatal(err)
			}
			if got := memoryAvailable(file); got != test.want {
				t.Errorf("%d, want %d", got, test.want)
			}
		})
	}
	if memoryAvailable("/nowhere") != 0 {
		t.Error("a file that is not there")
	}
}

func TestGarbageOfALargeHeapIsBounded(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name string
		live uint64
		want int
	}{
		{"nothing yet", 0, 200},
		{"no sessions", 40 << 20, 200},
		{"as much as is ample", 256 << 20, 200},
		{"a little more", 260 << 20, 190},
		{"three hundred thousand sessions", 400 << 20, 120},
		{"a million", 1200 << 20, 50},
		{"ten million", 12 << 30, 50},
	} {
		if got := percentFor(test.live); got != test.want {
			t.Errorf("%s: %d, want %d", test.name, got, test.want)
		}
	}
}
