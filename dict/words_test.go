package dict

import (
	"strings"
	"testing"
	"unicode/utf8"
)

func TestWordsThatAreOutOfDate(t *testing.T) {
	t.Parallel()
	p, errs := CompileProfile(Standard(), "test", ProfileSpec{Filtered: Sayings{"Filter-Id": {"{filter}"}}, OpenFilter: "off"},
		[]Action{{Name: "open"}, {Name: "block", Filter: "op25b"}})
	if errs != nil {
		t.Fatal(errs)
	}
	for _, tt := range []struct {
		action, words string
		want          bool
	}{
		{"block", `Filter-Id = "op25b"`, false},
		{"block", `Filter-Id = "op25b-old"`, true},
		{"open", "nothing", false},            // by the Accept
		{"open", `Filter-Id = "off"`, false},  // by a CoA
		{"open", `Filter-Id = "op25b"`, true}, // the open filter's earlier name
		{"block", "", false},                  // not known
		{"other", `Filter-Id = "x"`, false},   // of another policy
	} {
		if got := p.Outdated(tt.action, tt.words); got != tt.want {
			t.Errorf("%s %q: %v", tt.action, tt.words, got)
		}
	}
}

func TestLongWordsAreCutAndStillDiffer(t *testing.T) {
	t.Parallel()
	long := func(end string) string {
		wire := []byte(strings.Repeat("x", 300) + end)
		return Saying{Wire: wire, Text: []string{strings.Repeat("フィルタ", 30) + end}}.words()
	}
	a, b := long("a"), long("b")
	if a == b || len(a) > wordsLength || !utf8.ValidString(a) {
		t.Errorf("%d octets: %q, %q", len(a), a, b)
	}
}
