package store

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"sekisho/engine"
)

// TestFullDisk runs in a mount namespace of its own, where a small tmpfs is the
// disk. It needs root or user namespaces.
func TestFullDisk(t *testing.T) {
	t.Parallel()
	c := childCommand(t, "full disk", "DISK="+t.TempDir())
	c.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNS}
	if os.Geteuid() != 0 {
		c.SysProcAttr.Cloneflags |= syscall.CLONE_NEWUSER
		c.SysProcAttr.UidMappings = []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getuid(), Size: 1}}
		c.SysProcAttr.GidMappings = []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getgid(), Size: 1}}
	}
	if err := c.Run(); err != nil {
		t.Fatal(err)
	}
}

func fullDisk() error {
	dir := os.Getenv("DISK")
	private := syscall.Mount("", "/", "", syscall.MS_REC|syscall.MS_PRIVATE, "")
	if err := errors.Join(private, syscall.Mount("tmpfs", dir, "tmpfs", 0, "size=24m")); err != nil {
		return fmt.Errorf("mounting a small disk: %w", err)
	}
	s, err := Open(filepath.Join(dir, "s.db"), Options{Clock: func() time.Time { return noon }})
	if err != nil {
		return err
	}
	_, err = s.ImportContracts(context.Background(), tester, each(numbered(20_000, "c")...), ImportOptions{})
	if err != nil {
		return err
	}
	if err := fillUp(filepath.Join(dir, "filler")); err != nil {
		return err
	}
	made, err := refusedWhenFull(s)
	if err != nil {
		return err
	}
	if err := os.Remove(filepath.Join(dir, "filler")); err != nil {
		return err
	}
	return goesOn(s, made)
}

// fillUp writes until the disk is full.
func fillUp(path string) error {
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	defer f.Close()
	for _, size := range []int{1 << 20, 1 << 12, 1} {
		for err = nil; err == nil; {
			_, err = f.Write(make([]byte, size))
		}
	}
	if !errors.Is(err, syscall.ENOSPC) {
		return fmt.Errorf("filling the disk: %w", err)
	}
	return nil
}

// refusedWhenFull makes overrides until there is no room, not even in the free
// pages of the file, and then tries all other changes. It gives how many
// overrides were acknowledged.
func refusedWhenFull(s *Store) (made int, err error) {
	for err == nil {
		o := grant(fmt.Sprintf("u%d@atson.net", 1_000_000+made))
		o.Reason = strings.Repeat("x", maxField)
		if _, _, err = s.AddOverride(tester, o); err == nil {
			made++
		}
		if made > 20_000 {
			return made, errors.New("the disk does not become full")
		}
	}
	if !errors.Is(err, ErrFull) {
		return made, fmt.Errorf("an override on a full disk: %w", err)
	}
	for _, direct := range []int{directChanges, 0} {
		s.direct = direct
		_, err := s.ImportContracts(context.Background(), tester, each(numbered(20_000, "new")...), ImportOptions{})
		if !errors.Is(err, ErrFull) {
			return made, fmt.Errorf("an import on a full disk: %w", err)
		}
	}
	s.sortMemory = 1000
	if _, err := s.ImportContracts(context.Background(), tester, each(numbered(20_000, "new")...), ImportOptions{}); !errors.Is(err, ErrFull) {
		return made, fmt.Errorf("an import that is sorted on a full disk: %w", err)
	}
	if err := s.backupFile(s.path + ".backup"); !errors.Is(err, ErrFull) {
		return made, fmt.Errorf("a backup on a full disk: %w", err)
	}
	return made, readable(s, made)
}

// readable tells whether all that was acknowledged is there, and no more.
func readable(s *Store, made int) error {
	for i := range 20_000 {
		var f engine.Facts
		if err := s.Subscriber(fmt.Sprintf("u%d@atson.net", 1_000_000+i), &f); err != nil {
			return err
		}
		if f.Contract == nil || f.Contract.Course != fmt.Sprintf("c-%d", i) || (len(f.Overrides) == 1) != (i < made) {
			return fmt.Errorf("account %d of %d with an override: %+v", i, made, f)
		}
	}
	report, err := s.VerifyAudit()
	if err == nil && (!report.OK() || report.Entries != uint64(made)+1) {
		err = fmt.Errorf("the audit of %d overrides: %+v", made, report)
	}
	return err
}

// goesOn holds that there is room again without a restart, and after one.
func goesOn(s *Store, made int) error {
	if err := errors.Join(readable(s, made), s.Check()); err != nil {
		return err
	}
	if _, _, err := s.AddOverride(tester, grant(fmt.Sprintf("u%d@atson.net", 1_000_000+made))); err != nil {
		return err
	}
	if err := s.Close(); err != nil {
		return err
	}
	again, err := Open(s.path, Options{Clock: s.now})
	if err != nil {
		return err
	}
	return errors.Join(readable(again, made+1), again.Check(), again.Close())
}
