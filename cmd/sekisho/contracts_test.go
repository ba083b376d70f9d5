package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"sekisho/cmd/internal/admin"
	"sekisho/engine"
	"sekisho/store"
	"sekisho/store/storetest"

	"github.com/google/go-cmp/cmp"
	"github.com/jedib0t/go-pretty/v6/text"
)

// contractDaemon answers for contracts at a socket, as the daemon does.
func contractDaemon(t *testing.T, contracts ...engine.Contract) (socket string, s *store.Store) {
	t.Helper()
	s = storetest.Open(t, contracts...)
	dir, err := os.MkdirTemp("", "door") // the names of t.TempDir are too long for a socket
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	routes := admin.NewRoutes()
	admin.MountContracts(routes, s)
	socket = filepath.Join(dir, "s")
	server, err := admin.Serve(routes, admin.Options{Socket: socket})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = server.Shutdown(context.Background()) })
	return socket, s
}

// contractsRun is how a run of the verb ended.
type contractsRun struct {
	out, messages string
	err           error
}

func runContracts(socket, stdin string, args ...string) contractsRun {
	var out, messages bytes.Buffer
	app := newApp()
	app.Reader, app.Writer, app.ErrWriter = strings.NewReader(stdin), &out, &messages
	oneAtATime.Lock()
	defer oneAtATime.Unlock()
	err := app.Run(flagsFirst(app, append([]string{"sekisho", "--socket", socket, "contracts"}, args...)))
	return contractsRun{out.String(), messages.String(), err}
}

func TestContractsImport(t *testing.T) {
	t.Parallel()
	const csv = "account,course\nnew,c\nold,changed\n"
	file := filepath.Join(t.TempDir(), "contracts.csv")
	if err := os.WriteFile(file, []byte(csv), 0o600); err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		name  string
		args  []string
		stdin string
		want  contractsRun
		left  string // accounts afterwards
	}{
		{"file", []string{file}, "", contractsRun{out: "added 1\nchanged 1\nunchanged 0\ndeleted 0\n"}, "gone new old"},
		{"standard input", []string{"-"}, csv, contractsRun{out: "added 1\nchanged 1\nunchanged 0\ndeleted 0\n"}, "gone new old"},
		{"replace", []string{"--replace", "--yes", file}, "", contractsRun{out: "added 1\nchanged 1\nunchanged 0\ndeleted 1\n"}, "new old"},
		{"replace within a limit", []string{"--replace", "--max-deletes", "1", file}, "", contractsRun{out: "added 1\nchanged 1\nunchanged 0\ndeleted 1\n"}, "new old"},
		{"dry run", []string{"--dry-run", "--replace", file}, "", contractsRun{
			out: "added 1\nchanged 1\nunchanged 0\ndeleted 1\n" +
				"- gone: course c, options a;b\n+ new: course c\n~ old: course c → changed\n",
			messages: "dry run, nothing was changed; the import would be:\n",
		}, "gone old"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			socket, s := contractDaemon(t, engine.Contract{Account: "old", Course: "c"},
				engine.Contract{Account: "gone", Course: "c", Options: []string{"a", "b"}})
			got := runContracts(socket, test.stdin, append([]string{"import"}, test.args...)...)
			if diff := cmp.Diff(test.want, got, cmp.AllowUnexported(contractsRun{})); diff != "" {
				t.Error(diff)
			}
			var left []string
			for c, err := range s.AllContracts("") {
				if err != nil {
					t.Fatal(err)
				}
				left = append(left, c.Account)
			}
			if got := strings.Join(left, " "); got != test.left {
				t.Errorf("afterwards: %s, want %s", got, test.left)
			}
		})
	}
}

func TestContractsRefuse(t *testing.T) {
	t.Parallel()
	socket, _ := contractDaemon(t)
	full, _ := contractDaemon(t, engine.Contract{Account: "a", Course: "c"}, engine.Contract{Account: "b", Course: "c"})
	nobody := filepath.Join(t.TempDir(), "s")
	tests := []struct {
		name, socket string
		args         []string
		is           func(error) bool
		says         string
	}{
		{"wrong lines", socket, []string{"import", "-"}, isProblem(422), "stdin: nothing was imported, errors: 1\nstdin:2:3: course is empty"},
		{"wrong lines tried", socket, []string{"import", "--dry-run", "-"}, isProblem(422), "stdin: nothing was imported, errors: 1\nstdin:2:3: course is empty"},
		{"replacing by nothing", socket, []string{"import", "--replace", os.DevNull}, isProblem(422), "/dev/null:1: empty file"},
		{"more deletes than usual", full, []string{"import", "--replace", "-"}, isProblem(409), "refused by max-delete-percent 10: 50% of 2 contracts would be deleted; max-delete-percent 50 approves it"},
		{"a limit beside --yes", full, []string{"import", "--replace", "--yes", "--max-changes", "1", "-"}, isProblem(409), "refused by max-changes 1"},
		{"no deletes at all", full, []string{"import", "--replace", "--max-deletes", "0", "-"}, isProblem(409), "refused by max-deletes 0: 1 of 2"},
		{"too few", full, []string{"import", "--min-contracts", "10", "-"}, isProblem(409), "refused by min-contracts 10"},
		{"no file", socket, []string{"import"}, isUsage, "expected FILE|-, got"},
		{"two files", socket, []string{"import", "a", "b"}, isUsage, "expected FILE|-, got"},
		{"a file that is not there", socket, []string{"import", "/nonexistent.csv"}, isNotExist, "/nonexistent.csv"},
		{"import without a daemon", nobody, []string{"import", "-"}, isUnreachable, nobody},
		{"list without a daemon", nobody, []string{"list"}, isUnreachable, nobody},
		{"two prefixes", socket, []string{"list", "a", "b"}, isUsage, "expected [PREFIX], got 2"},
		{"a format that is none", socket, []string{"list", "-o", "xml"}, isUsage, `expected table, json, csv or ndjson, got "xml"`},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			got := runContracts(test.socket, map[bool]string{true: "account,course\na,d\n", false: "account,course\na,\n"}[test.socket == full], test.args...)
			if got.err == nil || !test.is(got.err) || !strings.Contains(got.err.Error(), test.says) || got.out+got.messages != "" {
				t.Errorf("out %q%q, error %v, want %q", got.out, got.messages, got.err, test.says)
			}
		})
	}
}

func isProblem(status int) func(error) bool {
	return func(err error) bool {
		var p *admin.Problem
		return errors.As(err, &p) && p.Status == status
	}
}

func isUsage(err error) bool { return errors.As(err, new(usageError)) }

func isNotExist(err error) bool { return errors.Is(err, os.ErrNotExist) }

func isUnreachable(err error) bool { return errors.Is(err, admin.ErrUnreachable) }

func TestContractsList(t *testing.T) {
	t.Parallel()
	socket, _ := contractDaemon(t,
		engine.Contract{Account: "a1@x", Course: "Bフレッツファミリー", Address: "fixed", Options: []string{"fixed-ip", "x"}, Status: "active"},
		engine.Contract{Account: "A2@x", Course: "DAL <&>", Area: "東京"},
		engine.Contract{Account: "b@x", Course: "DAL"})
	tests := []struct {
		name string
		args []string
		want string
	}{
		{"csv", []string{"-o", "csv", "a"}, "account,course,address,area,segment,options,status\n" +
			"a1@x,Bフレッツファミリー,fixed,,,fixed-ip;x,active\nA2@x,DAL <&>,,東京,,,\n"},
		{"ndjson", []string{"-o", "ndjson", "A"}, `{"account":"a1@x","course":"Bフレッツファミリー","address":"fixed","options":["fixed-ip","x"],"status":"active"}` + "\n" +
			`{"account":"A2@x","course":"DAL <&>","area":"東京"}` + "\n"},
		{"table of nothing", []string{"zz"}, "ACCOUNT  COURSE  ADDRESS  AREA  SEGMENT  OPTIONS  STATUS\n"},
		{"json of nothing", []string{"-o", "json", "zz"}, "[]\n"},
		{"json", []string{"-o", "json", "b"}, `[` + "\n" + `{"account":"b@x","course":"DAL"}` + "\n" + `]` + "\n"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			got := runContracts(socket, "", append([]string{"list"}, test.args...)...)
			if diff := cmp.Diff(contractsRun{out: test.want}, got, cmp.AllowUnexported(contractsRun{})); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestContractsSearchAndShow(t *testing.T) {
	t.Parallel()
	socket, _ := contractDaemon(t,
		engine.Contract{Account: "a1@x", Course: "Bフレッツ", Options: []string{"fixed-ip", "x"}, Status: "active"},
		engine.Contract{Account: "A2@y", Course: "DAL", Area: "東京"},
		engine.Contract{Account: "b@x", Course: "DAL", Status: "active"})
	tests := []struct {
		args []string
		want string // accounts
	}{
		{[]string{"search", "@X"}, "a1@x b@x"},
		{[]string{"search", "--course", "DAL"}, "A2@y b@x"},
		{[]string{"search", "--course", "DAL", "--course", "Bフレッツ", "--status", "active"}, "a1@x b@x"},
		{[]string{"search", "--option", "fixed-ip"}, "a1@x"},
		{[]string{"search", "--option", ""}, "A2@y b@x"},
		{[]string{"search", "--area", ""}, "a1@x b@x"},
		{[]string{"search", "--limit", "2"}, "a1@x A2@y"},
		{[]string{"search", "--area", "大阪"}, ""},
		{[]string{"show", "a2@Y"}, "A2@y"},
		{[]string{"export", "b"}, "b@x"},
		{[]string{"export"}, "a1@x A2@y b@x"},
	}
	for _, test := range tests {
		args := test.args
		if args[0] != "export" {
			args = append(args, "-o", "csv")
		}
		got := runContracts(socket, "", args...)
		var accounts []string
		for c, err := range store.ReadContracts("out", strings.NewReader(got.out)) {
			if err != nil {
				t.Fatalf("%q: %v, %v", args, err, got.err)
			}
			accounts = append(accounts, c.Account)
		}
		if found := strings.Join(accounts, " "); got.err != nil || found != test.want {
			t.Errorf("%q: %q, %v; want %q", test.args, found, got.err, test.want)
		}
	}
	if got := runContracts(socket, "", "show", "nobody"); !isProblem(404)(got.err) {
		t.Errorf("got %+v", got)
	}
}

func TestContractsListIsJSON(t *testing.T) {
	t.Parallel()
	socket, _ := contractDaemon(t, engine.Contract{Account: "a", Course: "c"}, engine.Contract{Account: "b", Course: "<"})
	got := runContracts(socket, "", "list", "-o", "json")
	var contracts []admin.Contract
	if err := json.Unmarshal([]byte(got.out), &contracts); err != nil || len(contracts) != 2 || contracts[1].Course != "<" {
		t.Errorf("%q: %v", got.out, err)
	}
}

// TestContractsTableIsAligned looks for each column at one place of the screen,
// where Japanese letters take two.
func TestContractsTableIsAligned(t *testing.T) {
	t.Parallel()
	socket, _ := contractDaemon(t,
		engine.Contract{Account: "a@x", Course: "Bフレッツファミリー", Address: "fixed", Area: "東京", Status: "active"},
		engine.Contract{Account: "b@x", Course: "DAL", Address: "fixed", Area: "okinawa", Status: "active"},
		engine.Contract{Account: "c@x", Course: "ﾌﾚｯﾂＡＤＳＬ", Address: "fixed", Area: "x", Status: "active"})
	lines := strings.Split(strings.TrimSuffix(runContracts(socket, "", "list").out, "\n"), "\n")
	if len(lines) != 4 {
		t.Fatalf("%d lines: %q", len(lines), lines)
	}
	want := [2]int{column(lines[0], "ADDRESS"), column(lines[0], "STATUS")}
	for _, line := range lines[1:] {
		if got := [2]int{column(line, "fixed"), column(line, "active")}; got != want {
			t.Errorf("columns at %v, want %v: %q", got, want, line)
		}
	}
}

func column(line, word string) int {
	before, _, _ := strings.Cut(line, word)
	return text.StringWidthWithoutEscSequences(before)
}

func TestNoBarWithoutATerminal(t *testing.T) {
	t.Parallel()
	f, err := os.Create(filepath.Join(t.TempDir(), "big"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if err := f.Truncate(bigImport); err != nil {
		t.Fatal(err)
	}
	if size := fileSize(f); size != bigImport {
		t.Errorf("size %d", size)
	}
	var messages bytes.Buffer
	sent, end := withBar(f, &messages)
	end()
	if sent != f || messages.Len() != 0 {
		t.Errorf("messages %q", &messages)
	}
}
