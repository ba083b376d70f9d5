package admin

import (
	"errors"
	"net/http"
	"strings"
	"testing"
)

func TestReadJSON(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, body string
		status     int // 0: accepted
		says       string
	}{
		{"what is known", `{"reason":"ticket 7"} `, 0, ""},
		{"an unknown field", `{"reason":"x","untill":"2007"}`, 400, `unknown field "untill"`},
		{"two values", `{"reason":"x"}{}`, 400, "more after"},
		{"no value", ``, 400, "body: EOF"},
		{"another type", `{"reason":7}`, 400, "cannot unmarshal number"},
		{"too long", `{"reason":"` + strings.Repeat("x", maxJSON) + `"}`, 413, "at most 1048576 bytes"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			r, err := http.NewRequest("POST", "/", strings.NewReader(test.body))
			if err != nil {
				t.Fatal(err)
			}
			var v struct {
				Reason string `json:"reason"`
			}
			err = readJSON(&answerOf{header: http.Header{}}, r, &v)
			var problem *Problem
			switch {
			case test.status == 0 && (err != nil || v.Reason != "ticket 7"):
				t.Errorf("read %+v, %v", v, err)
			case test.status != 0 && (!errors.As(err, &problem) || problem.Status != test.status || !strings.Contains(problem.Detail, test.says)):
				t.Errorf("error %v, want %d with %q", err, test.status, test.says)
			}
		})
	}
}
