package admin

import (
	"encoding/json"
	"net/http"
	"strconv"
	"strings"
	"testing"
)

// FuzzIfMatch holds that a condition is either one that we have given or
// refused.
func FuzzIfMatch(f *testing.F) {
	for _, seed := range []string{"", "*", `"1"`, `W/"1"`, `"01"`, `"-1"`, `"1", "2"`, "`1`", `"99999999999999999999"`, "'1'"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		n, err := Condition{text}.version()
		switch {
		case err != nil && statusOf(err) != http.StatusPreconditionFailed && statusOf(err) != http.StatusPreconditionRequired:
			t.Errorf("%q: %v", text, err)
		case err == nil && n == 0 && text != "*", err == nil && n > 0 && text != strconv.Quote(strconv.Itoa(n)):
			t.Errorf("%q is taken for version %d", text, n)
		}
	})
}

// FuzzRESTFacts holds that whatever rlm_rest may send becomes facts with the
// same User-Name, or a problem.
func FuzzRESTFacts(f *testing.F) {
	for _, seed := range []string{
		`{"User-Name":{"type":"string","value":["bob"]},"NAS-Port":{"type":"integer","value":[7]}}`,
		`{}`, `null`, `[]`, `{"User-Name":{"value":null}}`, `{"User-Name":{"value":[{}]}}`, `{"User-Name":7}`, "\x00",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		facts, err := restFacts(body)
		if err != nil {
			if statusOf(err) != http.StatusBadRequest {
				t.Errorf("%q: %v", body, err)
			}
			return
		}
		var got struct {
			User    any              `json:"user"`
			Request map[string][]any `json:"request"`
		}
		if err := json.Unmarshal(facts, &got); err != nil {
			t.Errorf("%q became %s: %v", body, facts, err)
		}
		if names := got.Request["User-Name"]; len(names) > 0 && !strings.EqualFold(asText(names[0]), asText(got.User)) {
			t.Errorf("%q became %s", body, facts)
		}
	})
}

func asText(v any) string {
	text, _ := json.Marshal(v)
	return string(text)
}

// FuzzRESTReply holds that every line of a saying comes back as an attribute of
// its own name.
func FuzzRESTReply(f *testing.F) {
	f.Add(`Filter-Id = "op25b.in"`)
	f.Add(`Cisco-AVPair = "ip:inacl#1=deny tcp any any eq 25"`)
	f.Add(`X = `)
	f.Add(`= = =`)
	f.Fuzz(func(t *testing.T, line string) {
		reply, err := restReply([]string{line, line})
		name, _, ok := strings.Cut(line, " = ")
		if (err == nil) != ok {
			t.Errorf("%q: %v", line, err)
		}
		if a := reply["reply:"+name]; ok && (len(a.Value) != 2 || a.Op != "+=") {
			t.Errorf("%q became %v", line, reply)
		}
	})
}
