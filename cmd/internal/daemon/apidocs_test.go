package daemon_test

import (
	"fmt"
	"net/http"
	"os"
	"regexp"
	"strings"
	"testing"

	"sekisho/cmd/internal/daemon"
)

const apiPage = "../../../docs/api.md"

var shellBlock = regexp.MustCompile("(?ms)^```sh\n(.*?)^```")

// curls are the command lines of the page.
func curls(t *testing.T) []string {
	t.Helper()
	page, err := os.ReadFile(apiPage)
	if err != nil {
		t.Fatal(err)
	}
	var lines []string
	for _, block := range shellBlock.FindAllStringSubmatch(string(page), -1) {
		for _, line := range strings.Split(strings.TrimSpace(block[1]), "\n") {
			if !strings.HasPrefix(line, "curl ") {
				t.Errorf("%q: expected a command line of curl", line)
			}
			lines = append(lines, line)
		}
	}
	return lines
}

// TestThePageShowsEveryOperation holds that none goes without a command line;
// that they work, the tests against real programs hold.
func TestThePageShowsEveryOperation(t *testing.T) {
	t.Parallel()
	shown := map[string]bool{}
	for _, line := range curls(t) {
		shown[operationOf(t, line)] = true
	}
	for _, op := range daemon.Operations() {
		if !shown[op.ID] {
			t.Errorf("%s %s: no command line of %s shows it", op.Method, op.Path, apiPage)
		}
	}
}

var (
	urlOf    = regexp.MustCompile(`https?://[^/]+(/[^ '?]*)`)
	methodOf = regexp.MustCompile(` -X ([A-Z]+)`)
)

// operationOf finds the operation that a command line asks for.
func operationOf(t *testing.T, line string) string {
	t.Helper()
	path, method := strings.ReplaceAll(urlOf.FindStringSubmatch(line)[1], "$ID", "x"), "GET"
	if strings.Contains(line, "--json") || strings.Contains(line, "--data") {
		method = "POST"
	}
	if m := methodOf.FindStringSubmatch(line); m != nil {
		method = m[1]
	}
	mux := http.NewServeMux()
	ids := map[string]string{}
	for _, op := range daemon.Operations() {
		pattern := op.Method + " " + op.Path
		mux.Handle(pattern, http.NotFoundHandler())
		ids[pattern] = op.ID
	}
	r, err := http.NewRequest(method, path, nil)
	if err != nil {
		t.Fatal(err)
	}
	_, pattern := mux.Handler(r)
	if ids[pattern] == "" {
		t.Errorf("%s: no operation", line)
	}
	return ids[pattern]
}

// TestRolesOfThePage holds that its table is that of the operations.
func TestRolesOfThePage(t *testing.T) {
	t.Parallel()
	page, err := os.ReadFile(apiPage)
	if err != nil {
		t.Fatal(err)
	}
	var table strings.Builder
	for _, op := range daemon.Operations() {
		fmt.Fprintf(&table, "| `%s %s` | %s |\n", op.Method, op.Path, op.Role)
	}
	head, rest, _ := strings.Cut(string(page), "| asked for | least role |\n| --- | --- |\n")
	old, tail, _ := strings.Cut(rest, "\n\n")
	if *update {
		text := head + "| asked for | least role |\n| --- | --- |\n" + table.String() + "\n" + tail
		if err := os.WriteFile(apiPage, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	} else if old+"\n" != table.String() {
		t.Errorf("the table of %s is not that of the operations; write it anew with -update\n%s", apiPage, table.String())
	}
}
