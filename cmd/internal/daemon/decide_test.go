package daemon_test

import (
	"bytes"
	"context"
	"io"
	"net"
	"net/http"
	"path/filepath"
	"strings"
	"testing"
)

// raw asks over the socket what the client has no method for.
func (s *site) raw(t *testing.T, method, path, body string) (status int, answer string) {
	t.Helper()
	return s.rawWith(t, method, path, body, nil)
}

func (s *site) rawWith(t *testing.T, method, path, body string, header http.Header) (status int, answer string) {
	t.Helper()
	client := &http.Client{Transport: &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "unix", s.socket())
	}}}
	defer client.CloseIdleConnections()
	req, err := http.NewRequestWithContext(t.Context(), method, "http://sekisho"+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	for name, values := range header {
		req.Header[name] = values
	}
	resp, err := client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, string(bytes.TrimSpace(text))
}

func (s *site) socket() string { return filepath.Join(filepath.Dir(s.file), "admin.sock") }

func TestDecideForFacts(t *testing.T) {
	t.Parallel()
	s := open(t)
	s.at(t, "2007-05-15T00:00:00+09:00")
	const rest = `{"User-Name":{"type":"string","value":["ua700aa007g@atson.net"]},"NAS-IP-Address":{"type":"ipaddr","value":["192.0.2.2"]},` +
		`"NAS-Port-Type":{"type":"integer","value":["Virtual"]},"NAS-Port":{"type":"integer","value":[7]}}`
	tests := []struct {
		name, query, body string
		status            int
		want              string
	}{
		{"the store's contract", "", `{"user":"ua700aa007g@atson.net"}`, 200,
			`{"action":"block","rule":"stage-2","until":null,"account":"ua700aa007g"}`},
		{"without a contract", "", `{"user":"ua700aa007g@atson.net","contract":null}`, 200,
			`{"action":"open","rule":"unknown-contract","until":null,"account":"ua700aa007g"}`},
		{"another day", "", `{"user":"ua700aa007g@atson.net","at":"2007-05-14T23:00:00+09:00"}`, 200,
			`{"action":"open","rule":"otherwise","until":"2007-05-14T15:00:00Z","account":"ua700aa007g"}`},
		{"for a NAS", "?nas=tokyo", `{"user":"ua700aa007g@atson.net"}`, 200,
			`{"action":"block","rule":"stage-2","until":null,"account":"ua700aa007g","attributes":["Filter-Id = \"op25b\""]}`},
		{"for a NAS of the facts", "", `{"user":"ua700aa007g@atson.net","nas":{"name":"tokyo"}}`, 200,
			`{"action":"block","rule":"stage-2","until":null,"account":"ua700aa007g","attributes":["Filter-Id = \"op25b\""]}`},
		{"an unknown NAS", "?nas=tokio", `{"user":"ua700aa007g@atson.net"}`, 404, `did you mean \"tokyo\"?`},
		{"an unknown key", "", `{"usr":"ua700aa007g@atson.net"}`, 400, `usr: unknown key, did you mean \"user\"?`},
		{"an unknown stage", "", `{"user":"u","stages":["al"]}`, 404, `has no rule \"al\"`},
		{"two objects", "", `{"user":"u"}{}`, 400, `after top-level value`},
		{"for rlm_rest", "?format=rlm_rest", rest, 200,
			`{"reply:ERX-IPv6-Ingress-Policy-Name":{"op":":=","value":["op25b-v6"]},"reply:ERX-Ingress-Policy-Name":{"op":":=","value":["op25b"]}}`},
		{"for rlm_rest at a NAS by name", "?format=rlm_rest&nas=tokyo", rest, 200, `{"reply:Filter-Id":{"op":":=","value":["op25b"]}}`},
		{"for rlm_rest without a profile", "?format=rlm_rest", `{"NAS-IP-Address":{"type":"ipaddr","value":["192.0.2.3"]}}`, 200, `{}`},
		{"what rlm_rest does not write", "?format=rlm_rest", `{"User-Name":"x"}`, 400, `as rlm_rest writes with body`},
		{"another format", "?format=xml", `{}`, 400, `expected value to be one of`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			status, answer := s.raw(t, "POST", "/v1/decide"+tt.query, tt.body)
			if status != tt.status || status == 200 && answer != tt.want || !strings.Contains(answer, tt.want) {
				t.Errorf("%d %s", status, answer)
			}
		})
	}
}
