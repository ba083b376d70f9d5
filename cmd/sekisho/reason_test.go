package main

import (
	"encoding/json"
	"path/filepath"
	"strings"
	"testing"

	"sekisho/cmd/internal/admin"

	"github.com/google/go-cmp/cmp"
)

// TestReasonsStandInTheAudit gives a reason to every verb that needs none.
func TestReasonsStandInTheAudit(t *testing.T) {
	dir := t.TempDir()
	csv := filepath.Join(dir, "contracts.csv")
	putFile(t, csv, "account,course\nzz,x\n")
	grants := filepath.Join(dir, "grants.csv")
	putFile(t, grants, "account,kind,action,reason\nua800ea008h,grant,open,r\n")
	o := openOffice(t, "2007-05-16T10:00:00+09:00")
	o.online(t, deskOsaka, "ua700aa007g@atson.net")
	want := map[string]string{}
	for op, verb := range map[string][]string{
		"contracts.import": {"contracts", "import", csv, "--yes"},
		"token.create":     {"token", "create", "noc", "--role", "viewer"},
		"backup":           {"backup", filepath.Join(dir, "copy.db")},
		"config.reload":    {"reload"},
		"override.import":  {"overrides", "import", grants},
		"nas.probe":        {"nas", "probe", "bras-osaka", "--session", deskSession},
	} {
		want[op] = "T-1: " + op
		if got := o.run(t, append(verb, "--reason", want[op])...); got.code != exitOK {
			t.Errorf("%s: exit code %d, %s", op, got.code, got.stderr)
		}
	}
	want["override.grant"] = "r" // a row's own
	want["contracts.replace"] = "T-2: 月初"
	if got := o.run(t, "contracts", "import", csv, "--yes", "--replace", "-r", want["contracts.replace"]); got.code != exitOK {
		t.Errorf("exit code %d, %s", got.code, got.stderr)
	}
	if diff := cmp.Diff(want, o.reasons(t)); diff != "" {
		t.Error(diff)
	}
}

// reasons are those of the audit, by what was done.
func (o *office) reasons(t *testing.T) map[string]string {
	t.Helper()
	got := map[string]string{}
	for line := range strings.Lines(o.run(t, "audit", "list", "-o", "ndjson").stdout) {
		var e admin.AuditEntry
		if err := json.Unmarshal([]byte(line), &e); err != nil {
			t.Fatal(err)
		}
		if e.Why != "" {
			got[e.Op] = e.Why
		}
	}
	return got
}

// TestAReasonThatTheAuditCannotKeepChangesNothing holds that it is refused
// before anything is done.
func TestAReasonThatTheAuditCannotKeepChangesNothing(t *testing.T) {
	dir := t.TempDir()
	csv := filepath.Join(dir, "contracts.csv")
	putFile(t, csv, "account,course\nzz,x\n")
	grants := filepath.Join(dir, "grants.csv")
	putFile(t, grants, "account,kind,action,reason\nua800ea008h,grant,open,r\n")
	o := openOffice(t, "2007-05-16T10:00:00+09:00")
	o.online(t, deskOsaka, "ua700aa007g@atson.net")
	before := o.run(t, "audit", "list", "-o", "ndjson").stdout
	for _, verb := range [][]string{
		{"contracts", "import", csv, "--yes"},
		{"token", "create", "noc", "--role", "viewer"},
		{"backup", filepath.Join(dir, "copy.db")},
		{"reload"},
		{"overrides", "import", grants},
		{"nas", "probe", "bras-osaka", "--session", deskSession},
		{"db", "restore", csv, filepath.Join(dir, "copy.db")},
	} {
		for _, reason := range []string{"a\x00b", strings.Repeat("あ", 1_000)} {
			got := o.run(t, append(verb, "--reason", reason)...)
			if got.code != exitFailed || !strings.Contains(got.stderr, "reason") {
				t.Errorf("%v: exit code %d, %s", verb, got.code, got.stderr)
			}
		}
	}
	if diff := cmp.Diff(before, o.run(t, "audit", "list", "-o", "ndjson").stdout); diff != "" {
		t.Errorf("something was done: %s", diff)
	}
}
