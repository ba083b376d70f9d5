package policyfile

import (
	"fmt"
	"testing"
	"time"

	"sekisho/engine"
)

// A date is the first instant of its day on the policy's clock, whatever happens to that clock, to the host's or to
// anybody's elsewhere.
func TestDatesBeginAtLocalMidnight(t *testing.T) {
	t.Parallel()
	tests := []struct{ name, zone, from, want string }{
		{"Japan", "Asia/Tokyo", "2007-05-15", "2007-05-14T15:00:00Z"},
		{"Japan, on the day on which Europe's clocks go forward", "Asia/Tokyo", "2007-03-25", "2007-03-24T15:00:00Z"},
		{"Japan, on the day on which Europe's clocks go back", "Asia/Tokyo", "2007-10-28", "2007-10-27T15:00:00Z"},
		{"Japan had summer time once", "Asia/Tokyo", "1950-06-01", "1950-05-31T14:00:00Z"},
		{"Paris, before its clocks go forward", "Europe/Paris", "2007-03-25", "2007-03-24T23:00:00Z"},
		{"Paris, after they went", "Europe/Paris", "2007-03-26", "2007-03-25T22:00:00Z"},
		{"Paris, before its clocks go back", "Europe/Paris", "2007-10-28", "2007-10-27T22:00:00Z"},
		{"a day without a midnight", "America/Sao_Paulo", "2007-10-14", "2007-10-14T03:00:00Z"},
		{"a day with two midnights", "America/Havana", "2007-10-28", "2007-10-28T04:00:00Z"},
		{"an hour that is skipped", "Europe/Paris", "2007-03-25T02:30", "2007-03-25T01:00:00Z"},
		{"an hour that comes twice", "Europe/Paris", "2007-10-28T02:30", "2007-10-28T00:30:00Z"},
		{"an offset is taken as it is", "Europe/Paris", "2007-05-15T00:00:00+09:00", "2007-05-14T15:00:00Z"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			src := fmt.Sprintf("policy: clock\ntimezone: %s\nlogins: [{match: \"{account}\", form: plain}]\ncourses: {a: {name: A}}\nactions: {open: {}, block: {}}\nrules: [{name: r, from: %s, then: block}]\notherwise: open\nunknown-contract: open\n", tt.zone, tt.from)
			p, problems := Parse("clock", []byte(src))
			if p == nil {
				t.Fatal(problems)
			}
			f := &engine.Facts{Contract: &engine.Contract{Course: "a"}}
			want, err := time.Parse(time.RFC3339, tt.want)
			if err != nil {
				t.Fatal(err)
			}
			before := engine.Decide(p, f, want.Add(-1))
			if before.Action != "open" || !before.Until.Equal(want) {
				t.Errorf("begins at %s, want %s", before.Until.UTC().Format(time.RFC3339), tt.want)
			}
			if at := engine.Decide(p, f, want); at.Action != "block" {
				t.Errorf("at %s: %+v", tt.want, at)
			}
		})
	}
}
