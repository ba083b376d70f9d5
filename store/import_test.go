package store

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	bolt "go.etcd.io/bbolt"

	"sekisho/engine"
)

func contract(account, course string) engine.Contract {
	return engine.Contract{Account: account, Course: course}
}

// bothWays runs a test with imports that change the contracts in place, and
// with imports that write a new generation.
func bothWays(t *testing.T, test func(t *testing.T, direct int)) {
	for name, direct := range map[string]int{"in place": directChanges, "new generation": 0} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t, direct)
		})
	}
}

func TestImportContracts(t *testing.T) {
	t.Parallel()
	before := []engine.Contract{contract("b", "old"), contract("d", "old"), contract("F", "old")}
	tests := []struct {
		name   string
		rows   []engine.Contract
		opts   ImportOptions
		report Report
		after  string
	}{
		{"nothing", nil, ImportOptions{}, Report{}, "b=old d=old F=old"},
		{"the same again", before, ImportOptions{}, Report{Unchanged: 3}, "b=old d=old F=old"},
		{"the same again replaces nothing", before, ImportOptions{Replace: true}, Report{Unchanged: 3}, "b=old d=old F=old"},
		{
			"unsorted, before, between and after", []engine.Contract{contract("g", "new"), contract("a", "new"), contract("c", "new")},
			ImportOptions{}, Report{Added: 3}, "a=new b=old c=new d=old F=old g=new",
		},
		{
			"change, add and keep", []engine.Contract{contract("d", "new"), contract("e", "new"), contract("b", "old")},
			ImportOptions{}, Report{Added: 1, Changed: 1, Unchanged: 1}, "b=old d=new e=new F=old",
		},
		{
			"change, add and delete", []engine.Contract{contract("d", "new"), contract("e", "new")},
			ImportOptions{Replace: true}, Report{Added: 1, Changed: 1, Deleted: 2}, "d=new e=new",
		},
		{
			"another spelling of an account", []engine.Contract{contract("f", "old"), contract("D", "old")},
			ImportOptions{}, Report{Changed: 2}, "b=old D=old f=old",
		},
		{
			"dry run", []engine.Contract{contract("d", "new"), contract("e", "new")},
			ImportOptions{Replace: true, DryRun: true}, Report{Added: 1, Changed: 1, Deleted: 2}, "b=old d=old F=old",
		},
		{"outer blanks go", []engine.Contract{contract("　b ", " old　")}, ImportOptions{}, Report{Unchanged: 1}, "b=old d=old F=old"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			bothWays(t, func(t *testing.T, direct int) {
				s := openTemp(t, before...)
				s.direct = direct
				report, err := s.ImportContracts(t.Context(), By{Who: "test"}, each(test.rows...), test.opts)
				if err != nil || report != test.report {
					t.Errorf("report %+v, %v; want %+v", report, err, test.report)
				}
				expect(t, s, test.after)
			})
		})
	}
}

// expect compares the contracts of s, written as "account=course ...", what
// Count says, and the number of generations in the file.
func expect(t *testing.T, s *Store, want string) {
	t.Helper()
	var got []string
	for c, err := range s.AllContracts("") {
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, c.Account+"="+c.Course)
	}
	if diff := cmp.Diff(want, strings.Join(got, " ")); diff != "" {
		t.Error(diff)
	}
	if n, err := s.Count(); n != len(got) || err != nil {
		t.Errorf("Count() = %d, %v; want %d", n, err, len(got))
	}
	if n := generations(t, s); n != 1 {
		t.Errorf("%d generations in the file, want 1", n)
	}
}

func generations(t *testing.T, s *Store) (n int) {
	t.Helper()
	err := s.view(func(tx *bolt.Tx) error {
		return tx.ForEach(func(name []byte, _ *bolt.Bucket) error {
			if strings.HasPrefix(string(name), string(generationPrefix)) {
				n++
			}
			return nil
		})
	})
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func TestImportOptionsAreASet(t *testing.T) {
	t.Parallel()
	s := openTemp(t, engine.Contract{Account: "a", Course: "c", Options: []string{"x", "fixed-ip", "x", ""}})
	report, err := s.ImportContracts(t.Context(), By{Who: "test"}, each(engine.Contract{Account: "a", Course: "c", Options: []string{"fixed-ip", "x"}}), ImportOptions{})
	if want := (Report{Unchanged: 1}); report != want || err != nil {
		t.Errorf("report %+v, %v; want %+v", report, err, want)
	}
}

func TestImportRefuses(t *testing.T) {
	t.Parallel()
	good := contract("n", "new")
	failing := errors.New("directory went away")
	tests := []struct {
		name string
		rows iter.Seq2[engine.Contract, error]
		opts ImportOptions
		says string
	}{
		{"an error among the rows", then(failing, good), ImportOptions{}, "directory went away"},
		{"an account that occurs twice", each(contract("n", "1"), good, contract("Ｎ ", "2")), ImportOptions{}, "account n occurs more than once"},
		{"an empty account", each(good, contract(" ", "c")), ImportOptions{}, "account is empty"},
		{"an empty course", each(good, contract("a", "")), ImportOptions{}, `contract "a": course is empty`},
		{"an unknown address", each(engine.Contract{Account: "a", Course: "c", Address: "static"}), ImportOptions{}, `address "static" is none of dynamic, fixed, simple-fixed`},
		{"an unknown segment", each(engine.Contract{Account: "a", Course: "c", Segment: "x"}), ImportOptions{}, `segment "x" is none of`},
		{"an unknown status", each(engine.Contract{Account: "a", Course: "c", Status: "x"}), ImportOptions{}, `status "x" is none of`},
		{"an option of two words", each(engine.Contract{Account: "a", Course: "c", Options: []string{"fixed ip"}}), ImportOptions{}, `options "fixed ip"`},
		{"an account longer than a User-Name", each(contract(strings.Repeat("a", 254), "c")), ImportOptions{}, "is 254 bytes long; at most 253 fit"},
		{"a line break in a course", each(contract("a", "b\nc")), ImportOptions{}, "control character U+000A"},
		{"a course that is not UTF-8", each(contract("a", "\x83R")), ImportOptions{}, "expected UTF-8"},
		{"replacing all by nothing", each(), ImportOptions{Replace: true}, ErrEmptyReplace.Error()},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			bothWays(t, func(t *testing.T, direct int) {
				s := openTemp(t, contract("old", "old"))
				s.direct = direct
				report, err := s.ImportContracts(t.Context(), By{Who: "test"}, test.rows, test.opts)
				if err == nil || !strings.Contains(err.Error(), test.says) || report != (Report{}) {
					t.Errorf("report %+v, error %v; want %q", report, err, test.says)
				}
				expect(t, s, "old=old")
			})
		})
	}
}

// then is a sequence that ends with an error.
func then(err error, contracts ...engine.Contract) iter.Seq2[engine.Contract, error] {
	return func(yield func(engine.Contract, error) bool) {
		for c := range each(contracts...) {
			if !yield(c, nil) {
				return
			}
		}
		yield(engine.Contract{}, err)
	}
}

func TestImportCollectsErrorsUpToALimit(t *testing.T) {
	t.Parallel()
	tests := []struct {
		errors, kept int
		more         bool
	}{{1, 1, false}, {100, 100, false}, {101, 100, true}, {5000, 100, true}}
	for _, test := range tests {
		t.Run(fmt.Sprint(test.errors), func(t *testing.T) {
			t.Parallel()
			s := openTemp(t)
			asked := 0
			_, err := s.ImportContracts(t.Context(), By{Who: "test"}, func(yield func(engine.Contract, error) bool) {
				for asked < test.errors {
					if asked++; !yield(engine.Contract{}, fmt.Errorf("error %d", asked)) {
						return
					}
				}
			}, ImportOptions{})
			var bad *ImportError
			if !errors.As(err, &bad) {
				t.Fatal(err)
			}
			if len(bad.Errs) != test.kept || bad.More != test.more || asked != min(test.errors, 101) {
				t.Errorf("%d errors kept, more %v, %d asked for", len(bad.Errs), bad.More, asked)
			}
		})
	}
}

func TestImportEndsWithItsContext(t *testing.T) {
	t.Parallel()
	bothWays(t, func(t *testing.T, direct int) {
		s := openTemp(t, contract("old", "old"))
		s.direct = direct
		ctx, cancel := context.WithCancel(t.Context())
		_, err := s.ImportContracts(ctx, By{Who: "test"}, func(yield func(engine.Contract, error) bool) {
			yield(contract("n", "new"), nil)
			cancel()
		}, ImportOptions{})
		if !errors.Is(err, context.Canceled) {
			t.Errorf("error %v", err)
		}
		expect(t, s, "old=old")
	})
}

func TestImportOfSeveralChunks(t *testing.T) {
	t.Parallel()
	s := openTemp(t)
	s.direct = 0
	mustImport(t, s, numbered(2*chunkRows+1, "c")...)
	walked := 0
	for _, err := range s.AllContracts("") {
		if err != nil {
			t.Fatal(err)
		}
		walked++
	}
	if n, err := s.Count(); n != 2*chunkRows+1 || walked != n || err != nil {
		t.Errorf("Count() = %d, %v; a walk meets %d of %d", n, err, walked, 2*chunkRows+1)
	}
}

func TestGivenUpGenerationIsRemoved(t *testing.T) {
	t.Parallel()
	s := openTemp(t, contract("old", "old"))
	failing := errors.New("read error")
	err := s.writeGeneration(t.Context(), func(yield func(row, error) bool) {
		for i := range chunkRows + 1 { // so that one chunk is written
			if !yield(row{fmt.Appendf(nil, "%06d", i), []byte{0xA0}}, nil) {
				return
			}
		}
		yield(row{}, failing)
	}, nil)
	if !errors.Is(err, failing) {
		t.Fatal(err)
	}
	if n := generations(t, s); n != 2 {
		t.Fatalf("%d generations before the crash, want 2", n)
	}
	if err := s.Close(); err != nil { // as a crash would leave it
		t.Fatal(err)
	}
	again, err := Open(s.Path(), Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer again.Close()
	expect(t, again, "old=old")
}

// TestReadersSeeAllOrNothing: once a reader has met a new contract, it meets
// no old one any more.
func TestReadersSeeAllOrNothing(t *testing.T) {
	t.Parallel()
	bothWays(t, func(t *testing.T, direct int) {
		const rows = 3000
		s := openTemp(t, numbered(rows, "v0")...)
		s.direct = direct
		done := make(chan struct{})
		var readers sync.WaitGroup
		for range 2 {
			readers.Go(func() { readVersions(t, s, rows, done) })
		}
		for v := 1; v <= 5; v++ {
			mustImport(t, s, numbered(rows, fmt.Sprintf("v%d", v))...)
		}
		close(done)
		readers.Wait()
	})
}

func readVersions(t *testing.T, s *Store, rows int, done <-chan struct{}) {
	latest := ""
	for i := 0; ; i = (i + 7) % rows {
		select {
		case <-done:
			return
		default:
		}
		c, found, err := s.Contract(fmt.Sprintf("u%d@atson.net", 1_000_000+i))
		version, _, _ := strings.Cut(c.Course, "-")
		if !found || err != nil || version < latest {
			t.Errorf("contract %d of %s after %s, found %v, %v", i, version, latest, found, err)
			return
		}
		latest = version
	}
}

func TestImportsWaitForEachOther(t *testing.T) {
	t.Parallel()
	bothWays(t, func(t *testing.T, direct int) {
		s := openTemp(t)
		s.direct = direct
		var imports sync.WaitGroup
		for importer := range 8 {
			imports.Go(func() {
				for i := range 10 {
					one := contract(fmt.Sprintf("%d-%d", importer, i), "c")
					if _, err := s.ImportContracts(t.Context(), By{Who: "test"}, each(one), ImportOptions{}); err != nil {
						t.Error(err)
					}
				}
			})
		}
		imports.Wait()
		if n, err := s.Count(); n != 80 || err != nil {
			t.Errorf("%d contracts of 80, %v", n, err)
		}
	})
}
