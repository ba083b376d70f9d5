package store

import (
	"bytes"
	"errors"
	"fmt"
	"iter"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

const overrideHeader = "account,kind,action,reason,ticket,from,until,area,nas,key\n"

func collect[T any](rows iter.Seq2[T, error]) (all []T, errs []string) {
	for v, err := range rows {
		if err != nil {
			errs = append(errs, err.Error())
			continue
		}
		all = append(all, v)
	}
	return all, errs
}

func sequence[T any](all ...T) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		for _, v := range all {
			if !yield(v, nil) {
				return
			}
		}
	}
}

func TestReadOverrides(t *testing.T) {
	t.Parallel()
	tokyo := time.FixedZone("JST", 9*3600)
	file := overrideHeader +
		"U1@x,Grant,open,電話,T-1,2026-11-22,2026-11-29 12:00,tokyo,bras-1,k1\n" +
		"U2@x,restrict,block,abuse,,,2026-11-29T12:00:00Z,,,\n"
	got, errs := collect(ReadOverrides("f.csv", strings.NewReader(file), tokyo))
	want := []Override{
		{Account: "U1@x", Kind: Grant, Action: "open", Reason: "電話", Ticket: "T-1", Area: "tokyo", NAS: "bras-1", Key: "k1",
			From: time.Date(2026, 11, 21, 15, 0, 0, 0, time.UTC), Until: time.Date(2026, 11, 29, 3, 0, 0, 0, time.UTC)},
		{Account: "U2@x", Kind: Restrict, Action: "block", Reason: "abuse", Until: time.Date(2026, 11, 29, 12, 0, 0, 0, time.UTC)},
	}
	if diff := cmp.Diff(want, got); diff != "" || errs != nil {
		t.Errorf("errors %q\n%s", errs, diff)
	}
}

func TestReadOverridesRefuses(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, csv string
		errs      []string
	}{
		{"no reason column", "account,kind,action\n", []string{"f.csv:1: no column reason in the header line"}},
		{"all that is wrong with a line", overrideHeader + "a,allow,,r,,soon,2026-13-01,,,\n", []string{
			`f.csv:2:13: from "soon": expected a time such as 2007-05-15T00:00:00+09:00 or 2007-05-15`,
			`f.csv:2:18: until "2026-13-01": expected a time such as 2007-05-15T00:00:00+09:00 or 2007-05-15`,
			"f.csv:2:9: action is empty", `f.csv:2:3: kind "allow" is none of grant, restrict`,
		}},
		{"one that was revoked", "account,kind,action,reason,revoked\na,grant,open,r,2026-01-01T00:00:00Z\n",
			[]string{"f.csv:2:16: revoked is not empty: leave out the rows that were revoked"}},
		{"an end before its beginning", overrideHeader + "a,grant,open,r,,2026-11-22,2026-11-21,,,\n",
			[]string{"f.csv:2:28: until 2026-11-21T00:00:00Z is not after from, 2026-11-22T00:00:00Z"}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			_, errs := collect(ReadOverrides("f.csv", strings.NewReader(test.csv), time.UTC))
			if diff := cmp.Diff(test.errs, errs); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestADayBeginsWhereTheClockSkipsMidnight(t *testing.T) {
	t.Parallel()
	cairo, err := time.LoadLocation("Africa/Cairo")
	if err != nil {
		t.Fatal(err)
	}
	if at, ok := parseTime("2024-04-26", cairo); !ok || at.In(cairo).Format(time.DateTime) != "2024-04-26 01:00:00" {
		t.Error(at, ok)
	}
}

// TestImportOverridesTwice: the second time nothing happens, with keys or
// without them; also when it is an export.
func TestImportOverridesTwice(t *testing.T) {
	t.Parallel()
	s, _ := openAtNoon(t)
	file := overrideHeader + "a,grant,open,r,,,2026-12-01,,,k1\nb,restrict,block,r,,,,,,\na,grant,open,r,,,2026-12-01,,,k1\nb,restrict,block,r,,,,,,\n"
	var told int
	s.Watch(func(c Changed) { told += len(c.Accounts) })
	for _, want := range []Report{{Added: 2, Unchanged: 2}, {Unchanged: 4}} {
		report, err := s.ImportOverridesFile(t.Context(), tester, "f.csv", strings.NewReader(file), time.UTC, ImportOptions{})
		if report != want || err != nil {
			t.Errorf("report %+v, %v; want %+v", report, err, want)
		}
	}
	var export bytes.Buffer
	if err := WriteOverrides(&export, s.AllOverrides(OverrideFilter{})); err != nil {
		t.Fatal(err)
	}
	report, err := s.ImportOverrides(t.Context(), tester, ReadOverrides("export", &export, time.UTC), ImportOptions{})
	if want := (Report{Unchanged: 2}); report != want || err != nil || told != 2 {
		t.Errorf("report %+v, %v; want %+v; told of %d accounts", report, err, want, told)
	}
	var ops []string
	for e, err := range s.AllAudit(AuditFilter{Op: "override"}) {
		if err != nil {
			t.Fatal(err)
		}
		ops = append(ops, fmt.Sprint(e.Op, " ", e.Subject, " ", orNull(e.After)[:8]))
	}
	want := []string{`override.grant a {"id":"0`, `override.restrict b {"id":"0`, `override.import overrides {"added"`}
	if diff := cmp.Diff(want, ops); diff != "" {
		t.Error(diff)
	}
}

// knowsOpen settles overrides by a policy of one action.
func knowsOpen(o *Override) error {
	if o.Action != "open" {
		return errors.New("there is no " + o.Action)
	}
	return nil
}

func TestImportOverridesIsAllOrNothing(t *testing.T) {
	t.Parallel()
	const good = "a,grant,open,r,,,2026-12-01,,,k1\n"
	tests := []struct {
		name, rows string
		opts       ImportOptions
		says       []string
	}{
		{"an error of the file", good + "b,grant,,r,,,2026-12-01,,,\n", ImportOptions{}, []string{"f.csv:3:9: action is empty"}},
		{"errors that the store finds", good + "\nb,grant,open,r,,,2026-11-01,,,\nc,grant,open,r,,,2026-12-01,,,used\n", ImportOptions{},
			[]string{"f.csv:4: until 2026-11-01T00:00:00Z is in the past", `f.csv:5: key belongs to an override of other content: "used"`}},
		{"all that is wrong at once, in the order of the lines", good + "b,grant,open,r,,,2026-11-01,,,\nc,grant,,r,,,2026-12-01,,,\nd,grant,opn,r,,,2026-11-02,,,\n",
			ImportOptions{Settle: knowsOpen},
			[]string{"f.csv:3: until 2026-11-01T00:00:00Z is in the past, it is 2026-11-22T12:00:00Z\nf.csv:4:9: action is empty\n" +
				"f.csv:5: there is no opn; until 2026-11-02T00:00:00Z is in the past"}},
		{"a guard", good + "b,grant,open,r,,,2026-12-01,,,\n", ImportOptions{Guards: Guards{MaxChanges: 1}}, []string{"refused by max-changes 1: 2 changes would be made"}},
		{"a dry run", good, ImportOptions{DryRun: true}, nil},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			s, _ := openAtNoon(t)
			used := grant("z")
			used.Key = "used"
			mustAdd(t, s, used)
			_, err := s.ImportOverridesFile(t.Context(), tester, "f.csv", strings.NewReader(overrideHeader+test.rows), time.UTC, test.opts)
			for _, says := range test.says {
				if err == nil || !strings.Contains(err.Error(), says) {
					t.Errorf("error %v, want %q", err, says)
				}
			}
			if test.says == nil && err != nil {
				t.Error(err)
			}
			if page, _, err := s.Overrides(OverrideFilter{Limit: 9}); len(page) != 1 || err != nil {
				t.Errorf("%d overrides, %v", len(page), err)
			}
			if report, err := s.VerifyAudit(); report.Entries != 1 || err != nil {
				t.Errorf("%d entries in the audit, %v", report.Entries, err)
			}
		})
	}
}

func TestImportOverridesNumbersRowsWithoutAFile(t *testing.T) {
	t.Parallel()
	s, _ := openAtNoon(t)
	_, err := s.ImportOverrides(t.Context(), tester, sequence(grant("a"), Override{Account: "b"}), ImportOptions{})
	var bad *ImportError
	if !errors.As(err, &bad) || !strings.Contains(err.Error(), `row 2, account "b": kind is empty`) {
		t.Errorf("error %v", err)
	}
}

// FuzzReadOverrides: whatever the bytes, reading ends without a panic, every
// error names a place, and what was read can be written and read again.
func FuzzReadOverrides(f *testing.F) {
	f.Add([]byte(overrideHeader + "U1@x,Grant,open,電話,T-1,2026-11-22,2026-11-29 12:00,tokyo,bras-1,k1\n"))
	f.Add([]byte(strings.Join(overrideColumns, ",") + "\r\na,restrict,block,\"r \"\"x\"\"\",,,2026-11-22T00:00:00.5Z,,,,01K,me,2026-11-22,1,\r\n"))
	f.Add([]byte("reason,action,kind,account\n,,,\n\x83,b,c,d\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		var read []Override
		for o, err := range ReadOverrides("f", bytes.NewReader(data), time.UTC) {
			var where *LineError
			if err != nil && (!errors.As(err, &where) || where.Line < 1) {
				t.Fatalf("an error without a place: %v", err)
			}
			if err == nil {
				read = append(read, o)
			}
		}
		var out bytes.Buffer
		if err := WriteOverrides(&out, sequence(read...)); err != nil {
			t.Fatal(err)
		}
		again, errs := collect(ReadOverrides("f", &out, time.UTC))
		if diff := cmp.Diff(read, again); diff != "" || errs != nil {
			t.Errorf("errors %q\n%s", errs, diff)
		}
	})
}
