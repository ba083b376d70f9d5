package store

import (
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strconv"
	"time"

	bolt "go.etcd.io/bbolt"
	bolterrors "go.etcd.io/bbolt/errors"
)

// Options are the settings of Open. The zero value is right for the daemon.
type Options struct {
	// Timeout is how long to wait for another process to let go of the file;
	// 0 means one second.
	Timeout time.Duration
	// MmapSize is the address space reserved for the file, in bytes; 0 means
	// 4 GiB, or 256 MiB on a 32-bit machine. It costs no memory. When the file
	// outgrows it, the next write waits for all open reads and delays new ones.
	MmapSize int
	// Clock tells the time of audit entries and of whatever is created, changed or
	// looked up; nil means time.Now.
	Clock func() time.Time
	// Log is told of migrations and repairs; nil discards.
	Log *slog.Logger

	readOnly bool
}

// Open opens the store file at path, or creates it with mode 0600 in a
// directory that must exist; the mode of an existing file is left as it is. A
// file of an older schema is migrated after a backup has been written beside
// it. The error wraps ErrLocked, ErrNewer, ErrForeign or ErrDamaged where one
// of them is the cause; the file has not been changed then.
func Open(path string, opts Options) (*Store, error) {
	return open(path, opts, migrations)
}

func open(path string, opts Options, steps []migration) (*Store, error) {
	opts = opts.withDefaults()
	if err := ensureFile(path, opts, steps); err != nil {
		return nil, fmt.Errorf("opening store: %w", err)
	}
	s, err := openFile(path, opts)
	if err != nil {
		return nil, fmt.Errorf("opening store: %w", err)
	}
	if err := s.prepare(steps); err != nil {
		return nil, errors.Join(fmt.Errorf("opening store: %w", err), s.Close())
	}
	return s, nil
}

func (o Options) withDefaults() Options {
	if o.Timeout == 0 {
		o.Timeout = time.Second
	}
	if o.MmapSize == 0 {
		o.MmapSize = 256 << 20
		if strconv.IntSize == 64 {
			o.MmapSize <<= 4
		}
	}
	if o.Clock == nil {
		o.Clock = time.Now
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	return o
}

// ensureFile creates a store at path if there is none. It is built under
// another name and linked into place, so that a crash leaves no half file; and
// an empty file is refused, for it may be all that is left of a full one.
func ensureFile(path string, opts Options, steps []migration) error {
	err := existing(path)
	if errors.Is(err, fs.ErrNotExist) {
		return create(path, opts, steps)
	}
	return err
}

// existing refuses what cannot be a store file.
func existing(path string) error {
	info, err := os.Stat(path)
	switch {
	case err != nil:
		return err
	case !info.Mode().IsRegular():
		return fmt.Errorf("%s: %w: not a regular file", path, ErrForeign)
	case info.Size() == 0:
		return fmt.Errorf("%s: %w: the file is empty; restore a backup, or remove the file to start anew", path, ErrDamaged)
	}
	return nil
}

func create(path string, opts Options, steps []migration) error {
	dir := filepath.Dir(path)
	temp, err := os.MkdirTemp(dir, ".sekisho-new-")
	if errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("%s: directory %s does not exist", path, dir)
	}
	if err != nil {
		return err
	}
	defer os.RemoveAll(temp)
	fresh := filepath.Join(temp, filepath.Base(path))
	if err := fill(fresh, opts, steps); err != nil {
		return err
	}
	// Link, unlike rename, never replaces a file that another process has
	// created meanwhile: then that one is opened.
	if err := os.Link(fresh, path); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	return syncDir(dir)
}

func fill(path string, opts Options, steps []migration) error {
	s, err := openFile(path, opts)
	if err != nil {
		return err
	}
	return errors.Join(s.migrate(0, steps), s.Close())
}

func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

// openFile opens the bbolt file and explains why not. Whoever had it before may
// have replaced it, by a compact copy or a backup: then what was waited for has
// no name any more, and the file in its place is meant.
func openFile(path string, opts Options) (*Store, error) {
	for {
		s, file, err := openOnce(path, opts)
		if err != nil {
			return nil, err
		}
		is, errIs := file.Stat()
		named, errNamed := os.Stat(path)
		if err := errors.Join(errIs, errNamed); err != nil {
			return nil, errors.Join(err, s.Close())
		}
		if os.SameFile(is, named) {
			return s, nil
		}
		if err := s.Close(); err != nil {
			return nil, err
		}
	}
}

func openOnce(path string, opts Options) (*Store, *os.File, error) {
	var file *os.File // bbolt loses it when it panics over a broken page
	var db *bolt.DB
	err := guard(func() (err error) {
		db, err = bolt.Open(path, 0o600, &bolt.Options{
			Timeout:         opts.Timeout,
			FreelistType:    bolt.FreelistMapType,
			InitialMmapSize: opts.MmapSize,
			NoStatistics:    true, // a lock that every read would take
			ReadOnly:        opts.readOnly,
			OpenFile: func(name string, flag int, mode os.FileMode) (f *os.File, err error) {
				f, err = os.OpenFile(name, flag, mode)
				file = f
				return f, err
			},
		})
		return err
	})
	if err != nil {
		if errors.Is(err, ErrDamaged) {
			_ = file.Close()
		}
		return nil, nil, refusal(path, err)
	}
	s := &Store{path: path, db: db, file: file, log: opts.Log, direct: directChanges, sortMemory: sortMemory, graces: map[string]int64{}}
	s.now = func() time.Time { return opts.Clock().UTC() }
	s.SetOverrideLimits(OverrideLimits{}, OverrideLimits{})
	return s, file, nil
}

// held says that another process has the file.
func held(path string) error {
	return fmt.Errorf("%s: %w%s; speak to it over its socket, or stop it first", path, ErrLocked, holder(path))
}

func refusal(path string, err error) error {
	switch {
	case errors.Is(err, bolterrors.ErrTimeout):
		return held(path)
	case errors.Is(err, bolterrors.ErrInvalid), errors.Is(err, bolterrors.ErrVersionMismatch):
		return fmt.Errorf("%s: %w: not a bbolt file, or its beginning is destroyed (%w)", path, ErrForeign, err)
	case errors.Is(err, bolterrors.ErrChecksum), errors.Is(err, ErrDamaged):
		return fmt.Errorf("%s: %w; restore a backup", path, errors.Join(ErrDamaged, err))
	}
	return fmt.Errorf("%s: %w", path, err)
}
