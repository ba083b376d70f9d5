package store

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"

	"github.com/google/renameio/v2"
	bolt "go.etcd.io/bbolt"
	"golang.org/x/sys/unix"
)

// FileReport is what a store file holds.
type FileReport struct {
	Size                         int64 // bytes
	Schema                       uint64
	Contracts, Overrides, Tokens int
	Audit                        AuditReport
}

// CheckFile reads a store file that no other process holds, without changing
// it: every page, everything that is kept twice, and the audit. The error joins
// all that is wrong; it wraps ErrLocked, ErrNewer, ErrForeign or ErrDamaged. A
// file of an older schema is fine: Open will migrate it.
func CheckFile(path string, opts Options) (FileReport, error) {
	report, err := checkFile(path, opts)
	if err != nil {
		return report, fmt.Errorf("checking store: %w", err)
	}
	return report, nil
}

func checkFile(path string, opts Options) (FileReport, error) {
	opts = opts.withDefaults()
	opts.readOnly = true
	s, err := openExisting(path, opts)
	if err != nil {
		return FileReport{}, err
	}
	report, err := s.inspect()
	return report, errors.Join(err, s.Close())
}

// openExisting opens a whole file of ours, of this schema or an older one.
func openExisting(path string, opts Options) (*Store, error) {
	if err := existing(path); err != nil {
		return nil, err
	}
	s, err := openFile(path, opts)
	if err != nil {
		return nil, err
	}
	if err = s.refuseTruncated(); err == nil {
		_, err = s.knownSchema(migrations)
	}
	if err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
}

// inspect looks at all of a file that nobody writes.
func (s *Store) inspect() (report FileReport, err error) {
	var errs []error
	err = s.view(func(tx *bolt.Tx) error {
		for err := range tx.Check() {
			errs = append(errs, fmt.Errorf("%s: %w: %w", s.path, ErrDamaged, err))
		}
		var faults []error
		report, faults = consistent(tx)
		report.Size = tx.Size()
		errs = append(errs, faults...)
		return nil
	})
	errs = append(errs, err)
	if report.Schema, err = s.schema(); err != nil {
		return report, errors.Join(append(errs, err)...)
	}
	report.Audit, err = s.VerifyAudit()
	errs = append(errs, err)
	for _, f := range report.Audit.Faults {
		errs = append(errs, fmt.Errorf("%s: %w: audit %s at %d: %s", s.path, ErrDamaged, f.What, f.Seq, f.Text))
	}
	return report, errors.Join(errs...)
}

// Compact writes the file anew without the pages that are free, and replaces it
// once the copy has been checked; before that it stays as it is. It needs as
// much room beside the file as the copy takes. It gives the sizes before and
// after, in bytes. The errors are those of CheckFile, and ErrFull.
func Compact(path string, opts Options) (before, after int64, err error) {
	if before, after, err = compact(path, opts.withDefaults()); err != nil {
		return 0, 0, fmt.Errorf("compacting store: %w", full(err))
	}
	return before, after, nil
}

func compact(path string, opts Options) (before, after int64, err error) {
	s, err := openExisting(path, opts)
	if err != nil {
		return 0, 0, err
	}
	// After the replacement: whoever waits for it finds the copy, see openFile.
	defer func() { err = errors.Join(err, s.Close()) }()
	temp, err := os.MkdirTemp(filepath.Dir(path), ".sekisho-compact-")
	if err != nil {
		return 0, 0, err
	}
	defer os.RemoveAll(temp)
	fresh := filepath.Join(temp, filepath.Base(path))
	if err := s.copyTo(fresh, opts); err != nil {
		return 0, 0, err
	}
	if err := s.sameAs(fresh, opts); err != nil {
		return 0, 0, err
	}
	if before, after, err = sizes(path, fresh); err != nil {
		return 0, 0, err
	}
	if err := likeThat(fresh, path); err != nil {
		return 0, 0, err
	}
	if err := os.Rename(fresh, path); err != nil {
		return 0, 0, err
	}
	return before, after, syncDir(filepath.Dir(path))
}

// copyTo copies what is in use.
func (s *Store) copyTo(path string, opts Options) error {
	const together = 4 << 20 // bytes in one transaction
	fresh, err := openFile(path, opts)
	if err != nil {
		return err
	}
	var used int64
	err = guard(func() error {
		if err := bolt.Compact(fresh.db, s.db, together); err != nil {
			return err
		}
		return fresh.db.View(func(tx *bolt.Tx) error {
			used = tx.Size()
			return nil
		})
	})
	if err := errors.Join(err, fresh.Close()); err != nil {
		return err
	}
	return os.Truncate(path, used) // bbolt grows a file by 16 MiB at a time
}

// sameAs checks a copy and compares it with s.
func (s *Store) sameAs(path string, opts Options) error {
	is, err := checkFile(path, opts)
	if err != nil {
		return err
	}
	was, err := s.inspect()
	if err != nil {
		return err
	}
	if is.Schema != was.Schema || is.Contracts != was.Contracts || is.Overrides != was.Overrides || is.Tokens != was.Tokens || is.Audit.Head != was.Audit.Head {
		return fmt.Errorf("%s: %w: the copy is not the same: %+v, %+v", s.path, ErrDamaged, is, was)
	}
	return nil
}

func sizes(a, b string) (sizeA, sizeB int64, err error) {
	infoA, errA := os.Stat(a)
	infoB, errB := os.Stat(b)
	if err := errors.Join(errA, errB); err != nil {
		return 0, 0, err
	}
	return infoA.Size(), infoB.Size(), nil
}

// Restore puts a backup in the place of the file at path, which may be missing
// or damaged, but must not be held by a process. The backup is checked first and
// stays where it is. The old file, if any, is kept beside the new one; kept is
// its name. The errors are those of CheckFile, about either file, and ErrFull.
func Restore(by By, backup, path string, opts Options) (kept string, report FileReport, err error) {
	if report, err = checkFile(backup, opts); err == nil {
		kept, err = replace(backup, path, func(copied, kept string) error {
			return recordRestore(by, copied, backup, kept, opts.withDefaults(), &report.Audit)
		})
	}
	if err != nil {
		return "", report, fmt.Errorf("restoring store: %w", full(err))
	}
	return kept, report, nil
}

// replace puts a copy of backup in the place of path, while it is locked.
func replace(backup, path string, record func(copied, kept string) error) (kept string, err error) {
	release, err := lock(path)
	if err != nil {
		return "", err
	}
	defer release()
	copied, err := copyBeside(backup, path)
	if err != nil {
		return "", err
	}
	defer copied.Cleanup()
	if kept, err = keep(path); err != nil {
		return "", err
	}
	if err := record(copied.Name(), kept); err != nil {
		return "", err
	}
	if err := copied.CloseAtomicallyReplace(); err != nil {
		return "", err
	}
	return kept, syncDir(filepath.Dir(path))
}

// recordRestore tells the audit of a copy that it takes the place of a file: what
// was changed since the backup is gone from its trail, and only this says so. A
// backup from before there was an audit has none that could be told.
func recordRestore(by By, copied, backup, kept string, opts Options, report *AuditReport) error {
	s, err := openExisting(copied, opts)
	if err != nil {
		return err
	}
	err = s.update(func(tx *bolt.Tx) error {
		if tx.Bucket(auditBucket) == nil {
			return nil
		}
		err := s.audit(tx, Entry{By: by, Op: "db.restore", Before: namedFile("kept", kept), After: namedFile("backup", backup)})
		if err == nil {
			report.Entries++
			report.Last, report.Head, err = auditHead(tx)
		}
		return err
	})
	return errors.Join(err, s.Close())
}

// namedFile is a file as the audit names it; nothing where there is none.
func namedFile(key, path string) json.RawMessage {
	if path == "" {
		return nil
	}
	text, err := json.Marshal(map[string]string{key: filepath.Base(path)})
	if err != nil {
		return nil // of strings there is none
	}
	return text
}

func copyBeside(backup, path string) (*renameio.PendingFile, error) {
	from, err := os.Open(backup)
	if err != nil {
		return nil, err
	}
	defer from.Close()
	copied, err := renameio.NewPendingFile(path, renameio.WithStaticPermissions(0o600))
	if err != nil {
		return nil, err
	}
	if _, err = io.Copy(copied, from); err == nil {
		err = likeThat(copied.Name(), path)
	}
	if err != nil {
		return nil, errors.Join(err, copied.Cleanup())
	}
	return copied, nil
}

// likeThat gives a new file owner and mode of the old one, or else the owner of
// its directory: root compacts and restores, and the daemon, another user, must
// go on opening the file.
func likeThat(fresh, old string) error {
	info, err := os.Stat(old)
	if errors.Is(err, fs.ErrNotExist) {
		info, err = os.Stat(filepath.Dir(old))
	}
	if err != nil {
		return err
	}
	if info.Mode().IsRegular() {
		if err := os.Chmod(fresh, info.Mode().Perm()); err != nil {
			return err
		}
	}
	if owner, ok := info.Sys().(*syscall.Stat_t); ok && os.Geteuid() == 0 {
		return os.Chown(fresh, int(owner.Uid), int(owner.Gid))
	}
	return nil
}

// keep gives the file at path a second name, if there is one.
func keep(path string) (name string, err error) {
	for n := 1; ; n++ {
		name = fmt.Sprintf("%s.before-restore-%d", path, n)
		switch err := os.Link(path, name); {
		case errors.Is(err, fs.ErrExist):
			continue
		case errors.Is(err, fs.ErrNotExist):
			return "", nil
		default:
			return name, err
		}
	}
}

// lock takes the lock of a file that need not be whole, nor be there.
func lock(path string) (release func(), err error) {
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if errors.Is(err, fs.ErrNotExist) {
		return func() {}, nil
	}
	if err != nil {
		return nil, err
	}
	err = unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB)
	if err == nil {
		return func() { f.Close() }, nil
	}
	f.Close()
	if errors.Is(err, unix.EWOULDBLOCK) {
		return nil, held(path)
	}
	return nil, fmt.Errorf("locking %s: %w", path, err)
}
