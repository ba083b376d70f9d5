package store

import (
	"bytes"
	"encoding/hex"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"sync"
	"testing"

	"github.com/fxamacker/cbor/v2"
	"github.com/google/go-cmp/cmp"

	"sekisho/engine"
)

func TestContract(t *testing.T) {
	t.Parallel()
	full := engine.Contract{
		Account: "U1234AB567C@atson.net", Course: "Bフレッツファミリー", Address: "fixed", Area: "tokyo",
		Segment: "personal", Options: []string{"fixed-ip", "security-vpn"}, Status: "active",
	}
	s := openTemp(t, full, engine.Contract{Account: "short", Course: "c"})
	tests := []struct {
		name, account string
		want          engine.Contract
		found         bool
	}{
		{"as it was written", "U1234AB567C@atson.net", full, true},
		{"in another case", "u1234ab567c@ATSON.net", full, true},
		{"in full-width letters", "Ｕ1234AB567C＠atson.net", full, true},
		{"between blanks", " u1234ab567c@atson.net ", full, true},
		{"with few fields", "short", engine.Contract{Account: "short", Course: "c"}, true},
		{"unknown", "nobody@atson.net", engine.Contract{}, false},
		{"a beginning only", "u1234", engine.Contract{}, false},
		{"empty", "", engine.Contract{}, false},
		{"longer than any key", string(make([]byte, 1<<16)), engine.Contract{}, false},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			got, found, err := s.Contract(test.account)
			if err != nil || found != test.found {
				t.Fatalf("found %v, error %v", found, err)
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestEveryCallFailsAfterClose(t *testing.T) {
	t.Parallel()
	s := openTemp(t)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	calls := map[string]func() error{
		"Contract":  func() error { _, _, err := s.Contract("a"); return err },
		"Contracts": func() error { _, err := s.Contracts("", "", 1); return err },
		"Count":     func() error { _, err := s.Count(); return err },
		"Backup":    func() error { return s.Backup(&bytes.Buffer{}) },
		"Check":     s.Check,
		"ImportContracts": func() error {
			_, err := s.ImportContracts(t.Context(), By{Who: "test"}, each(engine.Contract{Account: "a", Course: "c"}), ImportOptions{})
			return err
		},
	}
	for name, call := range calls {
		if err := call(); !errors.Is(err, ErrClosed) {
			t.Errorf("%s after Close: %v", name, err)
		}
	}
	if err := s.Close(); err != nil {
		t.Errorf("second Close: %v", err)
	}
}

func TestContractWhileClosing(t *testing.T) {
	t.Parallel()
	s := openTemp(t, numbered(100, "c")...)
	var readers sync.WaitGroup
	started := make(chan struct{}, 4)
	for range 4 {
		readers.Go(func() {
			for i := 0; ; i++ {
				_, found, err := s.Contract("u1000042@atson.net")
				if i == 0 {
					started <- struct{}{}
				}
				if errors.Is(err, ErrClosed) {
					return
				}
				if !found || err != nil {
					t.Errorf("found %v, error %v", found, err)
					return
				}
			}
		})
	}
	for range 4 {
		<-started
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
	readers.Wait()
}

func TestBrokenPageIsAnErrorNotAPanic(t *testing.T) {
	t.Parallel()
	content, page := storeBytes(t), os.Getpagesize()
	for at := 0; ; at += page {
		i := bytes.Index(content[at:], []byte("course-500"))
		if i < 0 {
			break
		}
		at = (at + i) &^ (page - 1)
		copy(content[at+8:at+16], "\xff\xff\xff\xff\xff\xff\xff\xff") // page type and size
	}
	path := filepath.Join(t.TempDir(), "broken.db")
	if err := os.WriteFile(path, content, 0o600); err != nil {
		t.Fatal(err)
	}
	s, err := Open(path, Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if _, _, err := s.Contract("u1000500@atson.net"); !errors.Is(err, ErrDamaged) {
		t.Errorf("on the broken page: %v", err)
	}
	if _, found, err := s.Contract("u1001900@atson.net"); !found || err != nil {
		t.Errorf("on another page: found %v, %v", found, err)
	}
	if err := s.Check(); !errors.Is(err, ErrDamaged) {
		t.Errorf("Check: %v", err)
	}
}

func TestContractRowFormat(t *testing.T) {
	t.Parallel()
	c := engine.Contract{Account: "A@x", Course: "c", Options: []string{"fixed-ip"}}
	b, err := encodeContract("a@x", c)
	if err != nil {
		t.Fatal(err)
	}
	// {1: "A@x", 2: "c", 6: ["fixed-ip"]}
	if got, want := hex.EncodeToString(b), "a3016341407802616306816866697865642d6970"; got != want {
		t.Errorf("encoded as %s, want %s", got, want)
	}
	later, err := cbor.Marshal(map[int]any{1: "A@x", 2: "c", 99: []int{1}, 6: []string{"fixed-ip"}})
	if err != nil {
		t.Fatal(err)
	}
	got, err := decodeContract("a@x", later)
	if diff := cmp.Diff(c, got); diff != "" || err != nil {
		t.Errorf("with a key of the future: %v\n%s", err, diff)
	}
	if _, err := decodeContract("a@x", b[:4]); !errors.Is(err, ErrDamaged) {
		t.Errorf("a value without its end: %v", err)
	}
}

func TestContractsPages(t *testing.T) {
	t.Parallel()
	var all []engine.Contract
	for _, account := range []string{"b2@x", "A1@x", "a2@x", "b1@x", "ab@x", "a2@xx"} {
		all = append(all, engine.Contract{Account: account, Course: "c"})
	}
	s := openTemp(t, all...)
	tests := []struct {
		name, prefix, after string
		limit               int
		want                []string
	}{
		{"all in key order", "", "", 9, []string{"A1@x", "a2@x", "a2@xx", "ab@x", "b1@x", "b2@x"}},
		{"the first ones", "", "", 2, []string{"A1@x", "a2@x"}},
		{"after one", "", "a2@x", 2, []string{"a2@xx", "ab@x"}},
		{"after one in another case", "", "A2@X", 1, []string{"a2@xx"}},
		{"after one that is not there", "", "a9", 1, []string{"ab@x"}},
		{"after the last", "", "b2@x", 2, nil},
		{"prefix", "b", "", 9, []string{"b1@x", "b2@x"}},
		{"prefix in another case", "Ａ", "", 9, []string{"A1@x", "a2@x", "a2@xx", "ab@x"}},
		{"prefix that is an account", "a2@x", "", 9, []string{"a2@x", "a2@xx"}},
		{"prefix and after", "a", "a2@xx", 9, []string{"ab@x"}},
		{"after before prefix", "b", "a2@x", 9, []string{"b1@x", "b2@x"}},
		{"after beyond prefix", "a", "b1@x", 9, nil},
		{"prefix of none", "zz", "", 9, nil},
		{"none", "", "", 0, nil},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			page, err := s.Contracts(test.prefix, test.after, test.limit)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(test.want, accounts(page)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func accounts(contracts []engine.Contract) (names []string) {
	for _, c := range contracts {
		names = append(names, c.Account)
	}
	return names
}

// TestAllContractsOverManyTransactions uses sizes around that of one
// transaction of a walk.
func TestAllContractsOverManyTransactions(t *testing.T) {
	t.Parallel()
	for _, n := range []int{0, 1, walkRows - 1, walkRows, walkRows + 1, 2*walkRows + 1} {
		t.Run(strconv.Itoa(n), func(t *testing.T) {
			t.Parallel()
			all := numbered(n, "c")
			s := openTemp(t, all...)
			var got []engine.Contract
			for c, err := range s.AllContracts("u") {
				if err != nil {
					t.Fatal(err)
				}
				got = append(got, c)
			}
			if !slices.Equal(accounts(got), accounts(all)) {
				t.Errorf("%d contracts came of %d, or not in order", len(got), n)
			}
			if count, err := s.Count(); count != n || err != nil {
				t.Errorf("Count() = %d, %v", count, err)
			}
		})
	}
}

// TestWalkThatIsOvertakenByClose: what was read before stays readable, though
// its pages are gone.
func TestWalkThatIsOvertakenByClose(t *testing.T) {
	t.Parallel()
	s := openTemp(t, numbered(walkRows+1, "c")...)
	n, last := 0, error(nil)
	for _, err := range s.AllContracts("") {
		if n == 0 {
			if err := s.Close(); err != nil {
				t.Fatal(err)
			}
		}
		n, last = n+1, err
	}
	if n != walkRows+1 || !errors.Is(last, ErrClosed) {
		t.Errorf("after %d steps: %v", n, last)
	}
}

func TestBackupIsAStore(t *testing.T) {
	t.Parallel()
	s := openTemp(t, numbered(1500, "c")...)
	path := filepath.Join(t.TempDir(), "backup.db")
	if err := s.backupFile(path); err != nil {
		t.Fatal(err)
	}
	copied, err := Open(path, Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer copied.Close()
	if err := copied.Check(); err != nil {
		t.Error(err)
	}
	if _, found, err := copied.Contract("u1001499@atson.net"); !found || err != nil {
		t.Errorf("in the backup: found %v, %v", found, err)
	}
}
