package store

import (
	"encoding/binary"
	"errors"
	"fmt"
	"os"

	"github.com/google/renameio/v2"
	bolt "go.etcd.io/bbolt"
)

// The meta bucket: what the file is, and where things are in it.
var (
	metaBucket     = []byte("meta")
	metaProgram    = []byte("program")         // programName, or the file is not ours
	metaSchema     = []byte("schema")          // uint64: migrations done
	metaContracts  = []byte("contracts")       // name of the bucket that readers use
	metaContractsN = []byte("contracts-count") // uint64: rows in it
	programName    = []byte("sekisho")
)

// migration is one step from a schema version to the next one. Steps are only
// ever appended: the number of a schema is the number of steps done.
type migration struct {
	name  string
	apply func(*bolt.Tx) error
}

var migrations = []migration{
	{"create contracts", createContracts},
	{"create latches", createLatches},
	{"create audit", createAudit},
	{"create overrides", createOverrides},
	{"create tokens", createTokens},
	{"create sessions", createSessions},
	{"create directories", createDirectories},
}

// prepare makes an opened file ready: ours, whole, of this schema, tidy.
func (s *Store) prepare(steps []migration) error {
	if err := s.refuseTruncated(); err != nil {
		return err
	}
	version, err := s.knownSchema(steps)
	if err != nil {
		return err
	}
	if version < uint64(len(steps)) {
		if err := s.backupBefore(version + 1); err != nil {
			return err
		}
	}
	if err := s.migrate(version, steps); err != nil {
		return err
	}
	return s.dropStrayGenerations()
}

// refuseTruncated finds a lost end of the file before a read runs into it.
func (s *Store) refuseTruncated() error {
	info, err := os.Stat(s.path)
	if err != nil {
		return err
	}
	return s.view(func(tx *bolt.Tx) error {
		if info.Size() < tx.Size() {
			return fmt.Errorf("%s: %w: truncated, %d of %d bytes are there; restore a backup", s.path, ErrDamaged, info.Size(), tx.Size())
		}
		return nil
	})
}

func (s *Store) schema() (version uint64, err error) {
	err = s.view(func(tx *bolt.Tx) error {
		meta := tx.Bucket(metaBucket)
		if meta == nil || string(meta.Get(metaProgram)) != string(programName) {
			return fmt.Errorf("%s: %w: a bbolt file of another program", s.path, ErrForeign)
		}
		version, err = getUint64(meta, metaSchema)
		return err
	})
	if errors.Is(err, ErrDamaged) {
		err = fmt.Errorf("%s: %w; restore a backup", s.path, err)
	}
	return version, err
}

// knownSchema is the schema of a file that is not newer than this program.
func (s *Store) knownSchema(steps []migration) (uint64, error) {
	version, err := s.schema()
	if err == nil && version > uint64(len(steps)) {
		err = fmt.Errorf("%s: %w: %d, while this program knows %d; use the newer release, or the backup made when it was installed",
			s.path, ErrNewer, version, len(steps))
	}
	return version, err
}

// migrate does the steps that a file of this version lacks, each with its new
// version number in one transaction.
func (s *Store) migrate(version uint64, steps []migration) error {
	for i := version; i < uint64(len(steps)); i++ {
		step := steps[i]
		err := s.update(func(tx *bolt.Tx) error {
			if err := step.apply(tx); err != nil {
				return err
			}
			return putSchema(tx, i+1)
		})
		if err != nil {
			return fmt.Errorf("%s: migration %d (%s): %w", s.path, i+1, step.name, err)
		}
		s.log.Info("store migrated", "file", s.path, "schema", i+1, "step", step.name)
	}
	return nil
}

func putSchema(tx *bolt.Tx, version uint64) error {
	meta, err := tx.CreateBucketIfNotExists(metaBucket)
	if err != nil {
		return err
	}
	return errors.Join(meta.Put(metaProgram, programName), putUint64(meta, metaSchema, version))
}

// backupBefore writes FILE.before-schema-N. A failed migration that is tried
// again replaces its own backup, which holds the same: the disk does not fill.
func (s *Store) backupBefore(version uint64) error {
	name := fmt.Sprintf("%s.before-schema-%d", s.path, version)
	if err := s.backupFile(name); err != nil {
		return fmt.Errorf("backup before migration: %w", err)
	}
	s.log.Info("store backed up before migration", "file", name)
	return nil
}

func (s *Store) backupFile(name string) error {
	f, err := renameio.NewPendingFile(name, renameio.WithStaticPermissions(0o600))
	if err != nil {
		return err
	}
	defer f.Cleanup() //nolint:errcheck // after success there is nothing to clean
	if err := s.Backup(f); err != nil {
		return err
	}
	return f.CloseAtomicallyReplace()
}

func getUint64(b *bolt.Bucket, key []byte) (uint64, error) {
	v := b.Get(key)
	if len(v) != 8 {
		return 0, fmt.Errorf("%w: %s is %d bytes long, not 8", ErrDamaged, key, len(v))
	}
	return binary.BigEndian.Uint64(v), nil
}

func putUint64(b *bolt.Bucket, key []byte, n uint64) error {
	return b.Put(key, binary.BigEndian.AppendUint64(nil, n))
}
