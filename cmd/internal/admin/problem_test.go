package admin

import (
	"context"
	"net/http"
	"strings"
	"testing"

	"github.com/danielgtaylor/huma/v2"
)

type reasonBody struct {
	Reason string `json:"reason"`
}

// TestBodiesAreRefused asks an operation that takes {"reason": …}; whatever is
// not that is refused before the operation sees it.
func TestBodiesAreRefused(t *testing.T) {
	t.Parallel()
	c, _ := doorOf(t, func(r *Routes) {
		ask(r, Viewer, huma.Operation{Method: "POST", Path: "/x"}, func(_ context.Context, in *body[reasonBody]) (reasonBody, error) {
			if in.Body.Reason != "ticket 7" {
				t.Errorf("the operation was asked with %q", in.Body.Reason)
			}
			return in.Body, nil
		})
	})
	tests := []struct {
		name, kind, body string
		status           int // 0: accepted
		says             string
	}{
		{"what is known", "application/json", `{"reason":"ticket 7"} `, 0, ""},
		{"without a type", "", `{"reason":"ticket 7"} `, 0, ""},
		{"an unknown field", "application/json", `{"reason":"x","untill":"2007"}`, 400, "body.untill: unexpected property"},
		{"a field in another case", "application/json", `{"reason":"ticket 7","Reason":"x"}`, 400, "body.Reason: unexpected property"},
		{"a missing field", "application/json", `{}`, 400, "expected required property reason to be present"},
		{"two values", "application/json", `{"reason":"x"}{}`, 400, "after top-level value"},
		{"half a value", "application/json", `{"reason":`, 400, "unexpected end of JSON input"},
		{"no value", "application/json", ``, 400, "request body is required"},
		{"another type", "application/json", `{"reason":7}`, 400, "body.reason: expected string"},
		{"a list", "application/json", `["reason"]`, 400, "body: expected object"},
		{"a form", "application/x-www-form-urlencoded", `reason=x`, 415, "unknown content type"},
		{"too long", "application/json", `{"reason":"` + strings.Repeat("x", maxJSON) + `"}`, 413, "at most 1048576 bytes of JSON"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			r, err := http.NewRequest("POST", "http://x/x", strings.NewReader(test.body))
			if err != nil {
				t.Fatal(err)
			}
			r.Header.Set("Content-Type", test.kind)
			resp, err := c.http.Do(r)
			if err != nil {
				t.Fatal(err)
			}
			defer resp.Body.Close()
			if test.status == 0 {
				if resp.StatusCode != http.StatusOK {
					t.Errorf("status %d: %v", resp.StatusCode, problemIn(resp))
				}
				return
			}
			if err := problemIn(resp); statusOf(err) != test.status || !strings.Contains(err.Error(), test.says) {
				t.Errorf("error %v, want %d with %q", err, test.status, test.says)
			}
		})
	}
}
