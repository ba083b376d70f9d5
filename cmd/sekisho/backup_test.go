package main

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"testing"
)

func TestNewFileIsWholeOrNotThere(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	name := filepath.Join(dir, "copy")
	broken := errors.New("broken")
	half := func(w io.Writer) error { _, _ = io.WriteString(w, "half"); return broken }
	whole := func(w io.Writer) error { _, err := io.WriteString(w, "whole"); return err }
	if err := newFile(name, half); !errors.Is(err, broken) {
		t.Errorf("got %v", err)
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) != 0 {
		t.Errorf("after a failure there are %v, %v", left, err)
	}
	if err := newFile(name, whole); err != nil {
		t.Error(err)
	}
	if err := newFile(name, whole); problemCode(409) != exitRefused || !isProblem(409)(err) {
		t.Errorf("over a file that is there: %v", err)
	}
	late := filepath.Join(dir, "late")
	err := newFile(late, func(w io.Writer) error { return os.WriteFile(late, []byte("another"), 0o600) })
	if text, _ := os.ReadFile(late); !isProblem(409)(err) || string(text) != "another" {
		t.Errorf("over a file that came meanwhile: %v, %q", err, text)
	}
	info, err := os.Stat(name)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v %v", info.Mode(), err)
	}
}

// TestBackupToStdout pipes the database away.
func TestBackupToStdout(t *testing.T) {
	o := openOffice(t, "2007-05-16T10:00:00+09:00")
	r := o.run(t, "backup", "-", "--reason", "nightly")
	if r.code != exitOK || r.stderr != "" {
		t.Fatalf("code %d, %s", r.code, r.stderr)
	}
	copied := writeFile(t, "copy.db", r.stdout)
	if r := sekisho(t, "", "db", "check", copied); r.code != exitOK {
		t.Errorf("code %d, %s", r.code, r.stderr)
	}
	if _, err := os.Stat("-"); err == nil {
		t.Error("there is a file named -")
	}
}
