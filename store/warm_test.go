package store

import (
	"bufio"
	"context"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"sekisho/engine"
)

// warmLog is a log that passes on the bytes of "the store is in memory".
type warmLog struct {
	slog.Handler
	bytes chan int64
}

func (l warmLog) Handle(_ context.Context, r slog.Record) error {
	r.Attrs(func(a slog.Attr) bool {
		if a.Key == "bytes" && r.Level == slog.LevelInfo {
			l.bytes <- a.Value.Int64()
		}
		return true
	})
	return nil
}

func openWarmable(t *testing.T, path string, opts Options) (*Store, chan int64) {
	t.Helper()
	bytes := make(chan int64, 100)
	opts.Log = slog.New(warmLog{slog.NewTextHandler(t.Output(), nil), bytes})
	s, err := Open(path, opts)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s, bytes
}

// coldFile is a store of which the kernel has nothing in memory, on a disk.
func coldFile(t *testing.T) (path string) {
	t.Helper()
	path = filepath.Join(t.TempDir(), "warm.db")
	s, err := Open(path, Options{})
	if err != nil {
		t.Fatal(err)
	}
	mustImport(t, s, typical(30_000)...)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if err := unix.Fadvise(int(f.Fd()), 0, 0, unix.FADV_DONTNEED); err != nil {
		t.Fatal(err)
	}
	return path
}

// mappedBytes is how much of a file this process has mapped in memory.
func mappedBytes(t *testing.T, path string) (n int64) {
	t.Helper()
	f, err := os.Open("/proc/self/smaps")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	ours := false
	for lines := bufio.NewScanner(f); lines.Scan(); {
		line := lines.Text()
		var kb int64
		switch {
		case strings.Contains(line, "-") && !strings.Contains(line, ": "):
			ours = strings.HasSuffix(line, path)
		case ours:
			if _, err := fmt.Sscanf(line, "Rss: %d kB", &kb); err == nil {
				n += kb << 10
			}
		}
	}
	return n
}

func TestKeepWarmBringsTheFileIntoMemory(t *testing.T) {
	t.Parallel()
	for name, limit := range map[string]int64{"all": 1 << 40, "as much as may be": 1 << 20, "nothing": 0} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			path := coldFile(t)
			s, bytes := openWarmable(t, path, Options{})
			before := mappedBytes(t, path)
			s.KeepWarm(limit)
			s.KeepWarm(limit) // does nothing
			want := min(limit, <-bytes)
			if limit > 1<<30 && want < 2<<20 {
				t.Errorf("%d bytes are all of 30,000 contracts", want)
			}
			// What opening it has touched is mapped as well.
			if got := mappedBytes(t, path); got < want || got > want+before+1<<20 {
				t.Errorf("%d bytes are mapped, %d before; want %d", got, before, want)
			}
		})
	}
}

// TestKeepWarmAfterTheFileWasMappedAnew grows it beyond its mapping: then none
// of it is mapped, although it is in memory.
func TestKeepWarmAfterTheFileWasMappedAnew(t *testing.T) {
	t.Parallel()
	s, bytes := openWarmable(t, filepath.Join(t.TempDir(), "warm.db"), Options{MmapSize: 1 << 16})
	s.KeepWarm(1 << 40)
	empty := <-bytes
	mustImport(t, s, typical(20_000)...)
	if err := s.Subscriber("u0000007ab@atson.net", new(engine.Facts)); err != nil {
		t.Fatal(err)
	}
	if n := <-bytes; n <= empty { // by the look-up, or on the way
		t.Errorf("%d bytes are in memory after the import, %d before", n, empty)
	}
}

func TestCloseEndsWarming(t *testing.T) {
	t.Parallel()
	path := coldFile(t)
	s, _ := openWarmable(t, path, Options{})
	s.KeepWarm(1 << 40)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := s.warmOnce(&warmer{file: s.file, limit: 1 << 40}); err == nil {
		t.Error("a closed file is read")
	}
}
