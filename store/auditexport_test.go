package store

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// export is a trail of nine entries with JSON in them, as lines.
func export(t testing.TB) []string {
	t.Helper()
	s, _ := openAtNoon(t)
	for i := range 9 {
		e := Entry{By: By{Who: "root", Why: "because 5 < 6 & 電話"}, Op: "config.reload", Subject: fmt.Sprint(i), After: []byte(`{ "a": "<&>", "b": [1, 2] }`)}
		if err := s.Record(e); err != nil {
			t.Fatal(err)
		}
	}
	var out bytes.Buffer
	if err := WriteAudit(&out, s.AllAudit(AuditFilter{})); err != nil {
		t.Fatal(err)
	}
	return strings.SplitAfter(strings.TrimSuffix(out.String(), "\n"), "\n")
}

func TestVerifyExport(t *testing.T) {
	t.Parallel()
	lines := export(t)
	tests := []struct {
		name        string
		spoil       func([]string) []string
		first, last uint64
		want        []string
	}{
		{"all of it", func(l []string) []string { return l }, 1, 9, nil},
		{"a part", func(l []string) []string { return l[3:7] }, 4, 7, nil},
		{"nothing", func([]string) []string { return nil }, 0, 0, nil},
		{"other blanks and escapes", func(l []string) []string {
			l[3] = strings.ReplaceAll(strings.ReplaceAll(l[3], `\u003c`, "<"), `":`, `" : `)
			return l
		}, 1, 9, nil},
		{"an edited word", func(l []string) []string {
			l[3] = strings.Replace(l[3], "root", "toor", 1)
			return l
		}, 1, 9, []string{"4 edited"}},
		{"an edited value", func(l []string) []string {
			l[3] = strings.Replace(l[3], "[1,2]", "[1,3]", 1)
			return l
		}, 1, 9, []string{"4 edited"}},
		{"a second value for a key", func(l []string) []string {
			l[3] = strings.Replace(l[3], `"who":"root"`, `"who":"nobody","who":"root"`, 1)
			return l
		}, 1, 9, []string{"4 edited"}},
		{"a line taken out", func(l []string) []string { return append(l[:3:3], l[4:]...) }, 1, 9, []string{"4 missing"}},
		{"two lines that changed places", func(l []string) []string {
			l[3], l[4] = l[4], l[3]
			return l
		}, 1, 9, []string{"4 missing", "4 reordered"}},
		{"a line that is none", func(l []string) []string {
			l[3] = "{}\n"
			return l
		}, 1, 9, []string{"4 damaged", "4 missing"}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			spoilt := test.spoil(append([]string(nil), lines...))
			report, err := VerifyExport(strings.NewReader(strings.Join(spoilt, "")))
			var got []string
			for _, f := range report.Faults {
				got = append(got, fmt.Sprint(f.Seq, " ", f.What))
			}
			if diff := cmp.Diff(test.want, got); diff != "" || err != nil {
				t.Errorf("%v\n%s\n%+v", err, diff, report.Faults)
			}
			if report.First != test.first || report.Last != test.last {
				t.Errorf("from %d to %d, want %d to %d", report.First, report.Last, test.first, test.last)
			}
		})
	}
}

func TestExportHasTheHeadOfTheTrail(t *testing.T) {
	t.Parallel()
	s := trail(t, 3)
	var out bytes.Buffer
	if err := WriteAudit(&out, s.AllAudit(AuditFilter{})); err != nil {
		t.Fatal(err)
	}
	exported, err := VerifyExport(&out)
	stored, err2 := s.VerifyAudit()
	if diff := cmp.Diff(stored, exported); diff != "" || err != nil || err2 != nil {
		t.Error(err, err2, diff)
	}
}

// TestHashOfAnEntry holds the form of what is hashed: old trails must go on
// being verified.
func TestHashOfAnEntry(t *testing.T) {
	t.Parallel()
	e := Entry{Seq: 7, At: noon, By: By{"root (uid 0)", "socket", "call"}, Op: "override.grant", Subject: "a@x", After: []byte(`{"a":1}`), Prev: [32]byte{1, 2, 3}}
	const want = "b0c29466665d734d56bbddd29a899c2781a394ab788818d66c626be4fd69b6e7" // by Python's hashlib, from the words at digest
	if got := fmt.Sprintf("%x", e.digest()); got != want {
		t.Errorf("hash %s, want %s", got, want)
	}
}

// FuzzVerifyExport: whatever the bytes, nothing panics, and what is found whole
// is whole when it is written again.
func FuzzVerifyExport(f *testing.F) {
	lines := export(f)
	f.Add([]byte(strings.Join(lines, "")))
	f.Add([]byte(lines[4]))
	f.Add([]byte(`{"seq":1,"at":"2026-11-22T12:00:00Z","before":null,"after":{}}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		report, err := VerifyExport(bytes.NewReader(data))
		if err != nil || !report.OK() {
			return
		}
		var out bytes.Buffer
		var entries []Entry
		for _, line := range bytes.Split(data, []byte("\n")) {
			var e Entry
			if len(bytes.TrimSpace(line)) > 0 {
				if err := e.UnmarshalJSON(line); err != nil {
					t.Fatal(err)
				}
				entries = append(entries, e)
			}
		}
		if err := WriteAudit(&out, sequence(entries...)); err != nil {
			t.Fatal(err)
		}
		again, err := VerifyExport(&out)
		if diff := cmp.Diff(report, again); diff != "" || err != nil {
			t.Error(err, diff)
		}
	})
}

// FuzzDecodeRows: whatever lies in the file, reading a row gives a value or an
// error.
func FuzzDecodeRows(f *testing.F) {
	o, _ := encodeOverride(Override{Account: "a", Kind: Grant, Until: noon, Revoked: &Revocation{At: noon}, History: []Revision{{Version: 1}}})
	e, _ := encodeEntry(Entry{Seq: 1, At: noon, By: By{Who: "w"}})
	c, _ := encodeContract("a", contract("A", "c"))
	for _, row := range [][]byte{o, e, c} {
		f.Add(row)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		if o, err := decodeOverride([16]byte{}, data); err == nil {
			_ = audited(&o)
			_, _ = o.State(noon), o.content()
			if _, err := encodeOverride(o); err != nil {
				t.Error(err)
			}
		}
		if e, err := decodeEntry(data); err == nil {
			_ = e.digest()
		}
		_, _ = decodeToken(data)
		_, _ = decodeContract("a", data)
	})
}
