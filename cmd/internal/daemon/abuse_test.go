package daemon_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"sekisho/cmd/internal/admin"
)

// TestAbuse sends what nobody should: each is answered by an error that says
// what is wrong, and nothing has changed.
func TestAbuse(t *testing.T) {
	t.Parallel()
	s := open(t)
	id := s.standing(t)
	grant := func(fields string) string {
		return `{"account":"ua700aa007g","kind":"grant","action":"open","reason":"r"` + fields + `}`
	}
	deep := strings.Repeat(`{"a":`, 20_000) + "1" + strings.Repeat("}", 20_000)
	tests := []struct {
		name, method, path, body string
		status                   int
		says                     string
	}{
		{"no JSON", "POST", "/v1/overrides", `account=x`, 400, "invalid character"},
		{"half of it", "POST", "/v1/overrides", grant("")[:30], 400, "unexpected end"},
		{"two of it", "POST", "/v1/overrides", grant("") + grant(""), 400, "after top-level value"},
		{"a list", "POST", "/v1/overrides", `[` + grant("") + `]`, 400, "expected object"},
		{"null", "POST", "/v1/overrides", `null`, 400, "expected object"},
		{"nothing", "POST", "/v1/overrides", ``, 400, "body is required"},
		{"an unknown field", "POST", "/v1/overrides", grant(`,"untill":"2007-06-01"`), 400, "body.untill"},
		{"an author", "POST", "/v1/overrides", grant(`,"author":"somebody else"`), 400, "body.author"},
		{"another type", "POST", "/v1/overrides", grant(`,"force":"yes"`), 400, "body.force: expected boolean"},
		{"a number for a text", "POST", "/v1/overrides", grant(`,"ticket":7`), 400, "body.ticket: expected string"},
		{"a deep one", "POST", "/v1/overrides", deep, 400, "body"},
		{"a huge one", "POST", "/v1/overrides", grant(`,"ticket":"` + strings.Repeat("x", 2<<20) + `"`), 413, "at most 1048576 bytes"},
		{"an unknown parameter", "POST", "/v1/overrides?dryrun=true", grant(""), 400, `unknown parameter \"dryrun\"`},
		{"a flag without a value", "POST", "/v1/overrides?dry-run", grant(""), 400, "expected boolean, got nothing"},
		{"a flag twice", "POST", "/v1/overrides?dry-run=true&dry-run=false", grant(""), 400, "expected one value"},
		{"a broken query", "POST", "/v1/overrides?dry-run=%zz", grant(""), 400, "query:"},
		{"semicolons", "POST", "/v1/overrides?dry-run=true;x=1", grant(""), 400, "query:"},
		{"an unknown method", "DELETE", "/v1/overrides/" + id, ``, 405, "DELETE"},
		{"another one", "BREW", "/v1/overrides", ``, 405, "BREW"},
		{"an unknown path", "GET", "/v2/overrides", ``, 404, "/v2/overrides"},
		{"a page without end", "GET", "/v1/overrides?limit=100000000", ``, 400, "query.limit: expected number <= 1000"},
		{"a page of nothing", "GET", "/v1/overrides?limit=-1", ``, 400, "query.limit: expected number >= 1"},
		{"a page after nothing", "GET", "/v1/overrides?after=zz", ``, 422, "after"},
		{"no state", "GET", "/v1/overrides?state=over", ``, 400, "query.state"},
		{"no ULID", "GET", "/v1/overrides/..%2F..%2Fetc%2Fpasswd", ``, 404, "not found"},
		{"a CSV of nothing", "POST", "/v1/overrides/import", ``, 422, "empty file: expected a header line"},
		{"a CSV of something else", "POST", "/v1/contracts/import", "\x00\x01\x02", 422, "body:1"},
		{"a token for anybody", "POST", "/v1/tokens", `{"name":"x","role":"anybody"}`, 422, "needs a role"},
		{"a token for a king", "POST", "/v1/tokens", `{"name":"x","role":"king"}`, 400, "there is no role"},
		{"a token of no name", "POST", "/v1/tokens", `{"name":" ","role":"viewer"}`, 422, "name: is empty"},
		{"a time of another world", "POST", "/v1/overrides", grant(`,"until":"9999-01-01"`), 422, "is not between"},
	}
	before := s.state(t)
	for _, tt := range tests {
		status, answer := s.raw(t, tt.method, tt.path, tt.body)
		if status != tt.status || !strings.Contains(answer, tt.says) || !strings.Contains(answer, `"title":`) {
			t.Errorf("%s: %d %.300s, want %d %s", tt.name, status, answer, tt.status, tt.says)
		}
	}
	if diff := cmp.Diff(before, s.state(t)); diff != "" {
		t.Errorf("something has changed: %s", diff)
	}
}

// TestNamesThatAreNoPaths grants to accounts whose names mean something in a
// path, and finds each of them, and nothing else, by it.
func TestNamesThatAreNoPaths(t *testing.T) {
	t.Parallel()
	s := open(t)
	names := []string{
		"a@b", "a/b", "a%b", "a%2Fb", "%00", "..", ".", "../../etc/passwd", "%2e%2e", "a b", "a?limit=1", "a#b", "a;b", "a&b=c", "a+b",
		`a"b`, `a\b`, "全角", "import", "export", "日本/語",
	}
	csv := "account,course\n"
	for _, name := range names {
		csv += `"` + strings.ReplaceAll(name, `"`, `""`) + `",ADSL` + "\n"
	}
	if _, err := s.client.ImportContracts(t.Context(), "names.csv", strings.NewReader(csv), admin.ImportOptions{}); err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		made, err := s.client.AddOverride(t.Context(), admin.NewOverride{Account: name, Kind: "grant", Action: "open", Reason: "r"}, name, false)
		if err != nil || made.Override.Account != name {
			t.Errorf("%q: %+v, %v", name, made, err)
			continue
		}
		page, err := s.client.Overrides(t.Context(), admin.OverrideQuery{Account: name}, "", 10)
		if err != nil || len(page.Overrides) != 1 || page.Overrides[0].ID != made.Override.ID {
			t.Errorf("%q: found %+v, %v", name, page, err)
		}
		contract, err := s.client.Contract(t.Context(), name)
		if err != nil || contract.Account != name {
			t.Errorf("%q: %+v, %v", name, contract, err)
		}
	}
	full, err := s.client.AddOverride(t.Context(), admin.NewOverride{Account: "ＵＡ７００ＡＡ００７Ｇ＠ａｔｓｏｎ．ｎｅｔ", Kind: "grant", Action: "open", Reason: "r"}, "", false)
	if err != nil || full.Override.Account != "ua700aa007g" {
		t.Errorf("full-width: %+v, %v", full, err)
	}
	for _, path := range []string{"a%2Fb%00", "%00%00", "a%2fc", "%E3%80", "..%2f..%2fv1%2fstatus"} {
		status, answer := s.raw(t, "GET", "/v1/contracts/"+path, "")
		if status != http.StatusNotFound || !strings.Contains(answer, `"detail":"there is no contract`) {
			t.Errorf("%s: %d %s", path, status, answer)
		}
	}
	for _, path := range []string{"/v1/contracts/../status", "/v1//status", "/v1/./status", "/v1/contracts/%2e%2e/status"} {
		status, answer := s.raw(t, "POST", path, "")
		if status < 300 || status >= 500 {
			t.Errorf("%s: %d %s", path, status, answer)
		}
	}
}
