package daemon_test

import (
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"sekisho/cmd/internal/admin"

	"github.com/google/go-cmp/cmp"
)

const limitedSite = "overrides: {grants: {max-days: 31, require-until: true}}\n"

// limited is a site that limits grants, on the day of a stage.
func limited(t *testing.T) *site {
	t.Helper()
	s := open(t)
	s.at(t, "2007-05-16T12:00:00+09:00")
	s.write(t, s.text+limitedSite)
	if _, err := s.client.Reload(t.Context(), ""); err != nil {
		t.Fatal(err)
	}
	return s
}

func untilFriday() admin.NewOverride {
	return admin.NewOverride{
		Account: "ua700aa007g@atson.net", Kind: "grant", Action: "open", Reason: "moves to submission on Friday", Ticket: "T-1", Until: "2007-05-19",
	}
}

// TestGrantUntilFriday is a support call: the grant is tried, made, seen at the
// next login, in the explanation and in the audit, renewed and revoked.
func TestGrantUntilFriday(t *testing.T) {
	t.Parallel()
	s := limited(t)
	if got := s.login(t, "192.0.2.1", "ua700aa007g@atson.net"); len(got) != 1 {
		t.Fatalf("before: told %v", got)
	}
	tried, err := s.client.AddOverride(t.Context(), untilFriday(), "", true)
	if err != nil || !tried.DryRun || tried.Override.ID != "" || len(tried.Warnings) > 0 {
		t.Fatalf("dry run: %+v, %v", tried, err)
	}
	made, err := s.client.AddOverride(t.Context(), untilFriday(), "call-1", false)
	if err != nil {
		t.Fatal(err)
	}
	o := made.Override
	if o.Account != "ua700aa007g" || o.State != "active" || o.Version != 1 || !strings.Contains(o.Author, fmt.Sprintf("(uid %d)", os.Getuid())) {
		t.Errorf("made %+v", o)
	}
	if diff := cmp.Diff(tried.Effect, made.Effect); diff != "" {
		t.Errorf("the dry run told something else: %s", diff)
	}
	block := []admin.Verdict{{Forms: []string{"fixed", "plain"}, NAS: []string{"tokyo", "okinawa", "quiet"}, Action: "block", Rule: "stage-2"}}
	if diff := cmp.Diff(block, made.Effect.Before); diff != "" {
		t.Errorf("before: %s", diff)
	}
	friday := time.Date(2007, 5, 18, 15, 0, 0, 0, time.UTC)
	if a := made.Effect.After; len(a) != 1 || a[0].Action != "open" || a[0].Rule != "override" || !a[0].Until.Equal(friday) {
		t.Errorf("after: %+v", a)
	}
	if got := s.login(t, "192.0.2.1", "ua700aa007g@atson.net"); len(got) != 0 {
		t.Errorf("with the grant: told %v", got)
	}
	again, err := s.client.AddOverride(t.Context(), untilFriday(), "call-1", false)
	if err != nil || !again.Existed || again.Override.ID != o.ID {
		t.Errorf("asked again: %+v, %v", again, err)
	}
	renewed, err := s.client.RenewOverride(t.Context(), o.ID, 1, admin.Renewal{Until: "2007-05-26", Reason: "needs a week more"}, false)
	if err != nil || renewed.Override.Version != 2 || len(renewed.Override.History) != 1 {
		t.Errorf("renewed: %+v, %v", renewed, err)
	}
	s.at(t, "2007-05-18T12:00:00+09:00")
	revoked, err := s.client.RevokeOverride(t.Context(), o.ID, 2, "done", false)
	if err != nil || revoked.Override.State != "revoked" || revoked.Effect.After[0].Action != "block" {
		t.Errorf("revoked: %+v, %v", revoked, err)
	}
	if got := s.login(t, "192.0.2.1", "ua700aa007g@atson.net"); len(got) != 1 {
		t.Errorf("after the grant: told %v", got)
	}
	late, err := s.client.AddOverride(t.Context(), untilFriday(), "call-1", false)
	if want := []string{"what this key made is revoked and does nothing any more; another key makes a new one"}; err != nil || !cmp.Equal(want, late.Warnings) {
		t.Errorf("asked again after it was revoked: %+v, %v", late, err)
	}
	s.audited(t, "override.grant", "override.renew", "override.revoke")
	s.explainsThePast(t)
}

// explainsThePast asks about days on which the grant held and did not.
func (s *site) explainsThePast(t *testing.T) {
	t.Helper()
	s.at(t, "2007-06-01T12:00:00+09:00")
	for at, want := range map[string]string{"2007-05-16T11:00:00+09:00": "block", "2007-05-17": "open", "2007-05-19": "block"} {
		e, err := s.client.Explain(t.Context(), admin.Question{User: "ua700aa007g@atson.net", NAS: "tokyo", At: at})
		if err != nil || e.Answers[0].Action != want {
			t.Errorf("at %s: %+v, %v", at, e.Answers, err)
		}
	}
}

// audited holds that the last changes of overrides are these, by this user.
func (s *site) audited(t *testing.T, ops ...string) {
	t.Helper()
	var got []string
	for e, err := range s.client.AllAudit(t.Context(), admin.AuditQuery{Op: "override"}) {
		if err != nil {
			t.Fatal(err)
		}
		if e.From != "socket" || !strings.Contains(e.Who, fmt.Sprintf("(uid %d)", os.Getuid())) {
			t.Errorf("entry %+v", e)
		}
		got = append(got, e.Op)
	}
	if diff := cmp.Diff(ops, got); diff != "" {
		t.Error(diff)
	}
	report, err := s.client.VerifyAudit(t.Context())
	if err != nil || !report.OK {
		t.Errorf("the audit: %+v, %v", report, err)
	}
}

func TestOverridesThatAreRefused(t *testing.T) {
	t.Parallel()
	s := limited(t)
	tests := []struct {
		name   string
		change func(*admin.NewOverride)
		status int
		says   string
	}{
		{"an unknown account", func(o *admin.NewOverride) { o.Account = "ua700aa007h@atson.net" }, 404, `no contract of account "ua700aa007h"; did you mean "ua700aa007g"?`},
		{"an account like none", func(o *admin.NewOverride) { o.Account = "zzz" }, 404, `no contract of account "zzz"`},
		{"an unknown action", func(o *admin.NewOverride) { o.Action = "opne" }, 422, `there is no action "opne"; did you mean "open"?`},
		{"an unknown area", func(o *admin.NewOverride) { o.Area = "tokio" }, 422, `there is no area "tokio"; did you mean "tokyo"?`},
		{"an unknown NAS", func(o *admin.NewOverride) { o.NAS = "okinawo" }, 422, `there is no nas "okinawo"`},
		{"another kind", func(o *admin.NewOverride) { o.Kind = "gift" }, 400, "body.kind: expected value to be one of"},
		{"no reason", func(o *admin.NewOverride) { o.Reason = "" }, 400, "body.reason: expected length >= 1"},
		{"a blank reason", func(o *admin.NewOverride) { o.Reason = "　" }, 422, "reason: is empty"},
		{"a reason of control characters", func(o *admin.NewOverride) { o.Reason = "a\x00b" }, 422, "reason: "},
		{"no account", func(o *admin.NewOverride) { o.Account = "" }, 400, "body.account: expected length >= 1"},
		{"no end", func(o *admin.NewOverride) { o.Until = "" }, 422, "until: is required here; at most 31 days"},
		{"an end too late", func(o *admin.NewOverride) { o.Until = "2007-07-01" }, 422, "is too late; at most 31 days"},
		{"an end that is over", func(o *admin.NewOverride) { o.Until = "2007-05-01" }, 422, "is in the past"},
		{"no time", func(o *admin.NewOverride) { o.Until = "Friday" }, 400, `expected a time such as`},
		{"an account with an octet of no text", func(o *admin.NewOverride) { o.Account, o.Force = "a\x00b", true }, 422, "account: "},
		{"an account too long", func(o *admin.NewOverride) { o.Account, o.Force = strings.Repeat("a", 1<<16), true }, 422, "account: "},
	}
	before := s.state(t)
	for _, tt := range tests {
		for _, dryRun := range []bool{true, false} {
			o := untilFriday()
			tt.change(&o)
			_, err := s.client.AddOverride(t.Context(), o, "", dryRun)
			var p *admin.Problem
			if !errors.As(err, &p) || p.Status != tt.status || !strings.Contains(err.Error(), tt.says) {
				t.Errorf("%s, dry run %v: got %v, want %d %s", tt.name, dryRun, err, tt.status, tt.says)
			}
		}
	}
	if diff := cmp.Diff(before, s.state(t)); diff != "" {
		t.Errorf("something was changed: %s", diff)
	}
}

func TestOverridesThatDoNotDoWhatIsExpectedAreWarnedOf(t *testing.T) {
	t.Parallel()
	s := open(t)
	s.at(t, "2007-05-16T12:00:00+09:00")
	add := func(o admin.NewOverride) []string {
		t.Helper()
		o.Reason = "r"
		made, err := s.client.AddOverride(t.Context(), o, "", false)
		if err != nil {
			t.Fatal(err)
		}
		return made.Warnings
	}
	for _, tt := range []struct {
		override admin.NewOverride
		want     []string
	}{
		{admin.NewOverride{Account: "uf234at567c", Kind: "grant", Action: "open"}, []string{"open is not looser than what holds without it: rule fixed-ip-option says open already", "open is not looser than what holds without it: rule otherwise says open already"}},
		{admin.NewOverride{Account: "ua700aa007g", Kind: "restrict", Action: "block"}, []string{"block is not tighter than what holds without it: rule stage-2 says block already"}},
		{admin.NewOverride{Account: "ua700aa007g", Kind: "grant", Action: "open"}, []string{"an override says block, which is tighter and wins"}},
		{admin.NewOverride{Account: "stranger", Kind: "restrict", Action: "block", Force: true}, nil},
	} {
		if diff := cmp.Diff(tt.want, add(tt.override)); diff != "" {
			t.Errorf("%+v: %s", tt.override, diff)
		}
	}
}

// TestARestrictionThatEndsAGrantIsNotInVain holds that it is measured by the
// grant, not by the rules behind it, which say the same as the restriction.
func TestARestrictionThatEndsAGrantIsNotInVain(t *testing.T) {
	t.Parallel()
	s := open(t)
	s.at(t, "2007-05-16T12:00:00+09:00")
	for _, o := range []admin.NewOverride{
		{Account: "ua700aa007g", Kind: "grant", Action: "open", Reason: "r"}, {Account: "ua700aa007g", Kind: "restrict", Action: "block", Reason: "r"},
	} {
		made, err := s.client.AddOverride(t.Context(), o, "", false)
		if err != nil || made.Warnings != nil {
			t.Errorf("%s: warned %q, %v", o.Kind, made.Warnings, err)
		}
	}
}

// TestAGrantThatTightensIsWarnedOf: the tightest wins, also among grants.
func TestAGrantThatTightensIsWarnedOf(t *testing.T) {
	t.Parallel()
	s := open(t)
	s.at(t, "2007-05-16T12:00:00+09:00")
	for _, tt := range []struct {
		action string
		want   []string
	}{{"open", nil}, {"limit", []string{"an override says open, and this is tighter and wins: it loosens nothing"}}} {
		made, err := s.client.AddOverride(t.Context(), admin.NewOverride{Account: "ua700aa007g", Kind: "grant", Action: tt.action, Reason: "r"}, "", false)
		if err != nil || !cmp.Equal(tt.want, made.Warnings) {
			t.Errorf("%s: warned %q, %v", tt.action, made.Warnings, err)
		}
	}
}

// TestARenewalForAnActionThatIsGone is after a policy took another's place.
func TestARenewalForAnActionThatIsGone(t *testing.T) {
	t.Parallel()
	s := open(t)
	s.at(t, "2007-05-16T12:00:00+09:00")
	made, err := s.client.AddOverride(t.Context(), admin.NewOverride{Account: "ua700aa007g", Kind: "grant", Action: "limit", Reason: "r"}, "", false)
	if err != nil {
		t.Fatal(err)
	}
	s.withoutLimit(t)
	renewed, err := s.client.RenewOverride(t.Context(), made.Override.ID, 1, admin.Renewal{Until: "2007-06-01", Reason: "r"}, false)
	if want := []string{`the policy has no action "limit" any more: it does nothing`}; err != nil || !cmp.Equal(want, renewed.Warnings) {
		t.Errorf("warned %q, %v", renewed.Warnings, err)
	}
}

// withoutLimit goes on with a policy that has one action less.
func (s *site) withoutLimit(t *testing.T) {
	t.Helper()
	shipped, err := os.ReadFile("../../../engine/policyfile/policies/asahi-net.yaml")
	if err != nil {
		t.Fatal(err)
	}
	other := filepath.Join(filepath.Dir(s.file), "other.yaml")
	if err := os.WriteFile(other, regexp.MustCompile(`(?m)^  limit:.*\n`).ReplaceAll(shipped, nil), 0o600); err != nil {
		t.Fatal(err)
	}
	s.write(t, strings.Replace(s.text, "policy: asahi-net", "policy: ./other.yaml", 1))
	if _, err := s.client.Reload(t.Context(), ""); err != nil {
		t.Fatal(err)
	}
}

func TestChangesOfOverridesNeedWhatWasSeen(t *testing.T) {
	t.Parallel()
	s := open(t)
	id := s.standing(t)
	before := s.state(t)
	for _, tt := range []struct {
		name, ifMatch string
		status        int
		says          string
	}{
		{"without a condition", "", 428, "expected If-Match"},
		{"another version", `"7"`, 412, "it is at version 1, not 7"},
		{"a weak tag", `W/"1"`, 412, "one ETag of ours"},
		{"two tags", `"1", "2"`, 412, "one ETag of ours"},
		{"no tag", `1`, 412, "one ETag of ours"},
	} {
		for path, body := range map[string]string{"PATCH /v1/overrides/" + id: `{"until":"","reason":"r"}`, "POST /v1/overrides/" + id + "/revoke": `{"reason":"r"}`} {
			method, path, _ := strings.Cut(path, " ")
			status, answer := s.rawWith(t, method, path, body, http.Header{"If-Match": {tt.ifMatch}})
			if status != tt.status || !strings.Contains(answer, tt.says) {
				t.Errorf("%s, %s %s: %d %s", tt.name, method, path, status, answer)
			}
		}
	}
	if diff := cmp.Diff(before, s.state(t)); diff != "" {
		t.Errorf("something was changed: %s", diff)
	}
	status, answer := s.rawWith(t, "PATCH", "/v1/overrides/"+id, `{"until":"","reason":"r"}`, http.Header{"If-Match": {`"1"`}})
	if status != 200 || !strings.Contains(answer, `"version":2`) {
		t.Errorf("%d %s", status, answer)
	}
	if status, answer := s.raw(t, "GET", "/v1/overrides/01JD8Q6V3MZ0Y7K2T4R9W5XCNE", ""); status != 404 {
		t.Errorf("an unknown one: %d %s", status, answer)
	}
}

func TestOverridesTravelAsFiles(t *testing.T) {
	t.Parallel()
	s := open(t)
	const csv = "account,kind,action,reason,until,key\nua700aa007g@atson.net,grant,open,r,2007-06-01,k1\nuf234at567c,restrict,block,spam,,k2\n"
	for _, tt := range []struct {
		dryRun bool
		want   admin.OverrideReport
	}{{true, admin.OverrideReport{Added: 2}}, {false, admin.OverrideReport{Added: 2}}, {false, admin.OverrideReport{Existed: 2}}} {
		got, err := s.client.ImportOverrides(t.Context(), "f.csv", strings.NewReader(csv), admin.OverrideImport{DryRun: tt.dryRun})
		if err != nil || got != tt.want {
			t.Errorf("dry run %v: %+v, %v", tt.dryRun, got, err)
		}
	}
	_, err := s.client.ImportOverrides(t.Context(), "f.csv", strings.NewReader("account,kind,action,reason\nuf234at567c,grant,open,r\nuf234at567d,grant,open,r\nuf234at567c,grant,opne,r\n"), admin.OverrideImport{})
	for _, want := range []string{`f.csv:3: there is no contract of account "uf234at567d"; did you mean "uf234at567c"?`, `f.csv:4: there is no action "opne"`} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %s", err, want)
		}
	}
	var out strings.Builder
	if err := s.client.ExportOverrides(t.Context(), admin.OverrideQuery{Kind: "grant"}, &out); err != nil || strings.Count(out.String(), "\n") != 2 || !strings.Contains(out.String(), "ua700aa007g,grant,open,r,,,2007-05-31T15:00:00Z") {
		t.Errorf("%s, %v", out.String(), err)
	}
	n := 0
	for o, err := range s.client.AllOverrides(t.Context(), admin.OverrideQuery{Prefix: "UA", States: []string{"active", "pending"}, EndsBefore: "2007-06-02"}) {
		if n++; err != nil || o.Key != "k1" {
			t.Errorf("%+v, %v", o, err)
		}
	}
	if n != 1 {
		t.Errorf("%d overrides", n)
	}
}
