package yamldoc

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestProblemsErrIgnoresWarnings(t *testing.T) {
	t.Parallel()
	ps := Problems{{File: "f", Line: 1, Column: 1, Text: "odd", Warning: true}}
	if err := ps.Err(); err != nil {
		t.Errorf("warnings only: got %v", err)
	}
	ps = ps.With(Problem{File: "f", Line: 1, Column: 1, Key: "k", Text: "bad"})
	if err := ps.Err(); err == nil || err.Error() != "f:1:1: warning: odd\nf:1:1: k: bad" {
		t.Errorf("got %v", err)
	}
}

func TestWithLeavesOutRepetitions(t *testing.T) {
	t.Parallel()
	known := Problems{{Line: 5, Key: "rules[a].when", Text: "bad"}}
	got := known.With(
		Problem{Line: 6, Key: "rules[a].when.course", Text: "below"}, Problem{Line: 2, Key: "rules[a]", Text: "above"},
		Problem{Line: 1, Key: "rules[a].whenever", Text: "other"}, Problem{Line: 7, Key: "rules[ab]", Text: "other"})
	var texts []string
	for _, p := range got {
		texts = append(texts, p.Text)
	}
	if d := cmp.Diff([]string{"other", "bad", "other"}, texts); d != "" {
		t.Error(d)
	}
}

func TestWithKeepsWhatWarningsTouch(t *testing.T) {
	t.Parallel()
	known := Problems{{Line: 5, Key: "rules[a]", Text: "odd", Warning: true}}
	if got := known.With(Problem{Line: 6, Key: "rules[a].then", Text: "bad"}); len(got) != 2 {
		t.Errorf("got %v", got)
	}
}

func TestSuggest(t *testing.T) {
	t.Parallel()
	many := strings.Split("aa bb cc dd ee ff gg hh ii jj kk ll mm nn", " ")
	tests := []struct {
		word  string
		known []string
		want  string
	}{
		{"cuorse", []string{"option", "course"}, `did you mean "course"?`},
		{"xyz", []string{"option", "course"}, "known: option, course"},
		{"xyz", nil, "there are none"},
		{"xyz", many[:13], "known: aa, bb, cc, dd, ee, ff, gg, hh, ii, jj, kk, ll, mm"},
		{"xyz", many, "known: aa, bb, cc, dd, ee, ff, gg, hh, ii, jj, kk, ll and 2 more"},
	}
	for _, tt := range tests {
		if got := Suggest(tt.word, tt.known); got != tt.want {
			t.Errorf("Suggest(%q, %q) = %q, want %q", tt.word, tt.known, got, tt.want)
		}
	}
}

func TestNearest(t *testing.T) {
	t.Parallel()
	known := []string{"course", "option", "Bフレッツベーシック", "to", "unknown-contract", "remedies", "remedies-of-old"}
	for word, want := range map[string]string{"cuorse": "course", "options": "option", "Bフレッツペーシック": "Bフレッツベーシック", "xyzzy": "", "unknown": "unknown-contract", "rem": "", "un": "", "ab": "", "": ""} {
		if got, _ := Nearest(word, known); got != want {
			t.Errorf("Nearest(%q) = %q, want %q", word, got, want)
		}
	}
}
