package main

import (
	"encoding/json"
	"testing"

	"sekisho/cmd/internal/admin"
)

func TestChangesInShort(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ before, after, want string }{
		{"", `{"action":"open","until":"2026-11-28"}`, "action open, until 2026-11-28"},
		{`{"action":"open","until":"a"}`, `{"action":"open","until":"b"}`, "until a → b"},
		{`{"until":null}`, `{"until":"b"}`, "until (none) → b"},
		{`{"until":"b"}`, `{"n":7}`, "n (none) → 7, until b → (none)"},
		{`{"name":"noc"}`, "", "name noc"},
		{"", `{"id":"01H","author":"a","created":"2026-11-28T00:00:00Z","version":1,"until":"2026-11-28T15:00:00Z"}`, "until 2026-11-28 24:00"},
		{"", "", ""},
		{"7", `"x"`, ""},
		{"", `{"course":"Ｂフレッツファミリータイプの長い名前のコース"}`, "course Ｂフレッツファミリータ…"},
		{"", `{"text":"line\nbreak\u001b[2J"}`, `text "line\nbreak\x1b[2J"`},
	} {
		got := (&desk{people: people{zone: zone(t, "Asia/Tokyo")}}).changeOf(admin.AuditEntry{Before: json.RawMessage(tt.before), After: json.RawMessage(tt.after)})
		if got != tt.want {
			t.Errorf("%s to %s: got %q, want %q", tt.before, tt.after, got, tt.want)
		}
	}
}
