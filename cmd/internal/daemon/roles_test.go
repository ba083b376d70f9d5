package daemon_test

import (
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"

	"sekisho/cmd/internal/admin"
	"sekisho/cmd/internal/daemon"

	"github.com/google/go-cmp/cmp"
)

// probe is a request for an operation that would do something if it were let
// through.
type probe struct {
	query, body string
	header      http.Header
}

// probes is how each operation is asked for. ID stands for an override that
// stands.
var probes = map[string]probe{
	"status": {}, "healthy": {}, "ready": {}, "reload": {}, "metrics": {}, "calendar": {}, "whoami": {},
	"backup": {}, "list-contracts": {}, "show-contract": {}, "list-overrides": {}, "show-override": {},
	"export-overrides": {}, "list-audit": {}, "export-audit": {}, "verify-audit": {}, "list-tokens": {},
	"list-sessions": {}, "show-session": {},
	"who-had":          {query: "address=198.51.100.7"},
	"explain":          {query: "user=ua700aa007g@atson.net"},
	"decide":           {body: `{"user":"ua700aa007g@atson.net"}`},
	"impact":           {body: `{"at":"2007-05-15"}`},
	"import-contracts": {body: "account,course\nnew,ADSL\n"},
	"add-override":     {body: `{"account":"ua700aa007g","kind":"grant","action":"open","reason":"r"}`},
	"renew-override":   {body: `{"until":"2007-07-01","reason":"r"}`, header: http.Header{"If-Match": {"*"}}},
	"revoke-override":  {body: `{"reason":"r"}`, header: http.Header{"If-Match": {"*"}}},
	"import-overrides": {body: "account,kind,action,reason\nua700aa007g,grant,open,r\n"},
	"create-token":     {body: `{"name":"another","role":"viewer"}`},
	"revoke-token":     {body: `{"reason":"r"}`},
	"list-campaigns":   {}, "show-campaign": {}, "plan-campaign": {body: `{}`},
	"pause-campaign": {body: `{}`}, "resume-campaign": {body: `{}`},
	"undo-campaign": {body: `{}`},
	"push-session":  {body: `{"user":"nobody"}`}, "disconnect-session": {body: `{"user":"nobody"}`},
	"sync-status": {}, "sync-held": {},
	"sync-run":     {body: `{}`},
	"sync-approve": {body: `{"reason":"r"}`},
	"sync-drop":    {body: `{"reason":"r"}`},
	"probe-nas":    {body: `{"user":"ua700aa007g"}`},
}

// TestWhoMayNotCannot asks for every operation in every role: who may not is
// refused, and nothing has changed.
func TestWhoMayNotCannot(t *testing.T) {
	t.Parallel()
	s := open(t)
	secrets := map[admin.Role]string{}
	for _, role := range []admin.Role{admin.Viewer, admin.Support, admin.Operator, admin.Admin} {
		made, err := s.client.CreateToken(t.Context(), admin.NewToken{Name: role.String(), Role: role})
		if err != nil {
			t.Fatal(err)
		}
		secrets[role] = made.Secret
	}
	for _, op := range daemon.Operations() {
		p, ok := probes[op.ID]
		if !ok {
			t.Errorf("%s %s: say in probes how it is asked for", op.Method, op.Path)
			continue
		}
		for role := admin.Anybody; role <= admin.Admin; role++ {
			before := s.state(t)
			status := s.probe(t, op, p, secrets[role])
			refused := status == http.StatusForbidden || status == http.StatusUnauthorized
			if refused != (role < op.Role) || status >= 500 {
				t.Errorf("%s %s by %s: status %d, needs %s", op.Method, op.Path, role, status, op.Role)
			}
			if refused {
				if diff := cmp.Diff(before, s.state(t)); diff != "" {
					t.Errorf("%s %s by %s was refused, and has changed something: %s", op.Method, op.Path, role, diff)
				}
			}
		}
	}
}

// state is all that the door could change, as text. Sessions are not in it:
// they are written behind at any time.
func (s *site) state(t *testing.T) string {
	t.Helper()
	overrides, err := s.client.Overrides(t.Context(), admin.OverrideQuery{}, "", 1000)
	if err != nil {
		t.Fatal(err)
	}
	contracts, err := s.client.Contracts(t.Context(), "", "", 1000)
	if err != nil {
		t.Fatal(err)
	}
	tokens, err := s.client.Tokens(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	audit, err := s.client.VerifyAudit(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	text, err := json.MarshalIndent([]any{overrides, contracts, tokens, audit, s.daemon.Status().Reload}, "", " ")
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// probe asks over TCP; without a secret, as nobody.
func (s *site) probe(t *testing.T, op admin.Operation, p probe, secret string) int {
	t.Helper()
	path := strings.NewReplacer("{account}", "ua700aa007g", "{name}", "viewer", "{id}", s.standing(t)).Replace(op.Path)
	req, err := http.NewRequestWithContext(t.Context(), op.Method, "http://"+s.daemon.Door()+path+"?"+p.query, strings.NewReader(p.body))
	if err != nil {
		t.Fatal(err)
	}
	for name, values := range p.header {
		req.Header[name] = values
	}
	if secret != "" {
		req.Header.Set("Authorization", "Bearer "+secret)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if _, err := io.Copy(io.Discard, resp.Body); err != nil {
		t.Fatal(err)
	}
	if resp.StatusCode == http.StatusUnauthorized && !strings.HasPrefix(resp.Header.Get("WWW-Authenticate"), "Bearer") {
		t.Error("status 401 without WWW-Authenticate")
	}
	return resp.StatusCode
}

// standing is the id of an override that stands.
func (s *site) standing(t *testing.T) string {
	t.Helper()
	page, err := s.client.Overrides(t.Context(), admin.OverrideQuery{States: []string{"active"}}, "", 1)
	if err != nil {
		t.Fatal(err)
	}
	if len(page.Overrides) > 0 {
		return page.Overrides[0].ID
	}
	made, err := s.client.AddOverride(t.Context(), admin.NewOverride{
		Account: "ua700aa007g", Kind: "grant", Action: "open", Reason: "somebody must stand", Until: "2007-06-01",
	}, "", false)
	if err != nil {
		t.Fatal(err)
	}
	return made.Override.ID
}
