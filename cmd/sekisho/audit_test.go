package main

import (
	"encoding/json"
	"strings"
	"testing"

	"sekisho/cmd/internal/admin"
)

func TestChangesInShort(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ before, after, want string }{
		{"", `{"action":"open","until":"2026-11-28"}`, "action open, until 2026-11-28"},
		{`{"action":"open","until":"a"}`, `{"action":"open","until":"b"}`, "until a → b"},
		{`{"until":null}`, `{"until":"b"}`, "until (none) → b"},
		{`{"until":"b"}`, `{"n":7}`, "n 7, until b → (none)"},
		{`{"name":"noc"}`, "", "name noc"},
		{"", `{"id":"01H","author":"a","created":"2026-11-28T00:00:00Z","version":1,"until":"2026-11-28T15:00:00Z"}`, "until 2026-11-28 24:00"},
		{"", "", ""},
		{"null", `{"from":"2026-11-28T15:00:00Z"}`, "from 2026-11-29"},
		{`{"contracts":0}`, `{"contracts":12,"added":12,"changed":0}`, "added 12, contracts 0 → 12"},
		{"7", `"x"`, ""},
		{"", `{"course":"Ｂフレッツファミリータイプの長い名前のコース"}`, "course Ｂフレッツファミリータイプの長い名前のコース"},
		{"", `{"text":"line\nbreak\u001b[2J"}`, `text "line\nbreak\x1b[2J"`},
	} {
		got := (&desk{people: people{zone: zone(t, "Asia/Tokyo")}}).changeOf(admin.AuditEntry{Before: json.RawMessage(tt.before), After: json.RawMessage(tt.after)})
		if got != tt.want {
			t.Errorf("%s to %s: got %q, want %q", tt.before, tt.after, got, tt.want)
		}
	}
}

// TestAnExportVerifiesWithoutTheDaemon takes a trail out, and edits it.
func TestAnExportVerifiesWithoutTheDaemon(t *testing.T) {
	t.Parallel()
	o := openOffice(t, "2007-05-16T10:00:00+09:00")
	for _, args := range [][]string{
		{"grant", "ua700aa007g", "--reason", "<a> & 日本語"}, {"renew", "ua700aa007g", "--until", "friday", "--reason", "b"}, {"token", "create", "noc", "--role", "viewer"},
	} {
		if r := o.run(t, args...); r.code != exitOK {
			t.Fatalf("%q: %s", args, r.stderr)
		}
	}
	trail := o.run(t, "audit", "export").stdout
	head := anyHash.FindString(o.run(t, "audit", "verify").stdout)
	for name, tt := range map[string]struct {
		trail, head string
		code        int
		says        string
	}{
		"as it is":     {trail, "", exitOK, "ok: 4 entries, 1 to 4\n"},
		"its own head": {trail, head, exitOK, "ok: 4 entries"},
		"another head": {trail, strings.Repeat("0", 64), exitFailed, "no entry has the hash 00"},
		"half a head":  {trail, head[:32], exitUsage, ""},
		"a line less":  {trail[strings.Index(trail, "\n")+1:], head, exitOK, "ok: 3 entries, 2 to 4"},
		"a reason":     {strings.Replace(trail, `"why":"b"`, `"why":"c"`, 1), "", exitFailed, "entry 3: edited"},
		"no JSON":      {trail + "x\n", "", exitFailed, "line 5"},
	} {
		r := o.run(t, "audit", "verify", writeFile(t, "trail", tt.trail), "--head", tt.head)
		if r.code != tt.code || !strings.Contains(r.stdout, tt.says) {
			t.Errorf("%s: code %d, want %d; %s%s, want %q", name, r.code, tt.code, r.stdout, r.stderr, tt.says)
		}
	}
}
