package main

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"sekisho/engine"
	"sekisho/store"
	"sekisho/store/storetest"
)

// closedStore is the file of a store with one contract that nobody holds.
func closedStore(t *testing.T) string {
	t.Helper()
	s := storetest.Open(t, engine.Contract{Account: "a", Course: "c"})
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	return s.Path()
}

func TestDatabaseFiles(t *testing.T) {
	t.Parallel()
	file, held := closedStore(t), storetest.Open(t)
	damaged := writeFile(t, "damaged.db", "")
	backup := filepath.Join(t.TempDir(), "backup")
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(backup, text, 0o600); err != nil {
		t.Fatal(err)
	}
	gone := filepath.Join(t.TempDir(), "gone")
	for _, tt := range []struct {
		name string
		args []string
		code int
		says string
	}{
		{"check", []string{"check", file}, exitOK, ": ok\n"},
		{"what it holds", []string{"check", file}, exitOK, "1 contracts, 0 overrides, 0 tokens, 1 audit entries\naudit head "},
		{"check as JSON", []string{"check", "-o", "json", file}, exitOK, `"contracts": 1,`},
		{"compact", []string{"compact", file}, exitOK, " bytes before, "},
		{"restore", []string{"restore", backup, file}, exitOK, "the old file is kept as " + file},
		{"restore and why", []string{"restore", backup, file, "--reason", "disk of the old machine died"}, exitOK, ": ok\n"},
		{"restore where there is none", []string{"restore", backup, filepath.Join(t.TempDir(), "new")}, exitOK, ": ok\n"},
		{"check of what a daemon holds", []string{"check", held.Path()}, exitFailed, "store file is held by another process"},
		{"compact of what a daemon holds", []string{"compact", held.Path()}, exitFailed, "held by another process"},
		{"restore over what a daemon holds", []string{"restore", backup, held.Path()}, exitFailed, "held by another process"},
		{"restore of what is no backup", []string{"restore", damaged, file}, exitFailed, "damaged"},
		{"check of nothing", []string{"check", gone}, exitFailed, "no such file"},
		{"no file and no site file", []string{"check", "--config", gone}, exitFailed, "no FILE was named"},
		{"nothing to restore", []string{"restore"}, exitUsage, "expected BACKUP-FILE [FILE], got none"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := sekisho(t, "", append([]string{"db"}, tt.args...)...)
			if r.code != tt.code || !strings.Contains(r.stdout+r.stderr, tt.says) {
				t.Errorf("code %d, want %d; %s%s, want %q", r.code, tt.code, r.stdout, r.stderr, tt.says)
			}
		})
	}
	if _, err := os.Stat(gone); !os.IsNotExist(err) {
		t.Errorf("checking a file that is not there has made it: %v", err)
	}
	if _, err := store.CheckFile(file, store.Options{}); err != nil {
		t.Error(err)
	}
	s, err := store.Open(file, store.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	var whys []string
	for e, err := range s.AllAudit(store.AuditFilter{Op: "db.restore"}) {
		if err != nil {
			t.Fatal(err)
		}
		whys = append(whys, e.By.Why)
	}
	if !slices.Equal(whys, []string{"disk of the old machine died"}) {
		t.Errorf("the audit has %q", whys)
	}
}

func TestDatabaseOfTheSiteFile(t *testing.T) {
	t.Parallel()
	file := closedStore(t)
	site := writeFile(t, "sekisho.yaml", strings.Replace(strings.ReplaceAll(serveSite, "%[1]s/db", file), "%[1]s/s", "/tmp/s", 1))
	if r := sekisho(t, "", "db", "check", "--config", site); r.code != exitOK || !strings.HasPrefix(r.stdout, file+": ok\n") {
		t.Errorf("code %d: %s%s", r.code, r.stdout, r.stderr)
	}
}
