package dict

import (
	"encoding/hex"
	"slices"
	"strings"
	"testing"
)

func compiled(t testing.TB, spec ProfileSpec, actions []Action) *Profile {
	t.Helper()
	p, errs := CompileProfile(Standard(), "test", spec, actions)
	if errs != nil {
		t.Fatal(errs)
	}
	return p
}

func TestWhatACoACannotSayIsNotSaid(t *testing.T) {
	byName := Sayings{"Filter-Id": {"{filter}.in"}}
	tests := []struct {
		name   string
		spec   ProfileSpec
		action string
		wire   string // "" with means ByCoA: a CoA without attributes
		means  Means
		why    string
	}{
		{"a filter as at login", ProfileSpec{Filtered: byName}, "block", "0b0a" + text("op25b.in"), ByCoA, ""},
		{"a filter in other words", ProfileSpec{Filtered: byName, CoA: CoASpec{Filtered: Sayings{"Filter-Id": {"{filter}"}}}}, "block", "0b07" + text("op25b"), ByCoA, ""},
		{"leaving out takes nothing away", ProfileSpec{Filtered: byName}, "open", "", ByNothing, "set open-filter"},
		{"leaving out takes away", ProfileSpec{Filtered: byName, CoA: CoASpec{Complete: true}}, "open", "", ByCoA, ""},
		{"an open filter", ProfileSpec{Filtered: byName, OpenFilter: "pass"}, "open", "0b09" + text("pass.in"), ByCoA, ""},
		{"an open filter in other words", ProfileSpec{Filtered: byName, OpenFilter: "pass", CoA: CoASpec{Filtered: Sayings{"Filter-Id": {"in:{filter}"}}}}, "open", "0b09" + text("in:pass"), ByCoA, ""},
		{"a value that takes away", ProfileSpec{Filtered: byName, CoA: CoASpec{Unfiltered: Sayings{"Filter-Id": {"none"}}}}, "open", "0b06" + text("none"), ByCoA, ""},
		{"attributes of the login", ProfileSpec{Filtered: byName, Unfiltered: Sayings{"Filter-Id": {"all"}}}, "open", "0b05" + text("all"), ByCoA, ""},
		{"one action by itself", ProfileSpec{Filtered: byName, CoA: CoASpec{Actions: map[string]Sayings{"limit": {"Filter-Id": {"slow"}}}}}, "limit", "0b06" + text("slow"), ByCoA, ""},
		{"something of another action would stay", ProfileSpec{Filtered: byName, Actions: map[string]Sayings{"limit": {"Filter-Id": {"x"}, "Session-Timeout": {"60"}}}}, "block", "", ByNothing, "another action has set"},
		{"another attribute takes away", ProfileSpec{Filtered: byName, CoA: CoASpec{Complete: true, Unfiltered: Sayings{"ERX-Service-Deactivate": {"op25b"}}}}, "open", "1a0d0000130a4207" + text("op25b"), ByCoA, ""},
		{"Disconnect where the profile says so", ProfileSpec{Filtered: byName, CoA: CoASpec{Otherwise: SayByDisconnect}}, "open", "", ByDisconnect, "set open-filter"},
		{"and a CoA for the others", ProfileSpec{Filtered: byName, CoA: CoASpec{Otherwise: SayByDisconnect}}, "block", "0b0a" + text("op25b.in"), ByCoA, ""},
		{"only Disconnect", ProfileSpec{Filtered: byName, CoA: CoASpec{By: SayByDisconnect}}, "block", "", ByDisconnect, "takes no CoA"},
		{"nothing at all", ProfileSpec{Filtered: byName, CoA: CoASpec{By: SayByNothing}}, "block", "", ByNothing, "takes no CoA"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			p := compiled(t, tt.spec, asahi)
			said, ok := p.CoA(tt.action)
			if got := hex.EncodeToString(said.Wire); got != tt.wire || ok != (tt.means == ByCoA) || p.Means(tt.action) != tt.means {
				t.Errorf("got %s, %v by %s", got, ok, p.Means(tt.action))
			}
			if why := p.NoCoA(tt.action); !strings.Contains(why, tt.why) || (why == "") != ok {
				t.Errorf("why: %q", why)
			}
		})
	}
}

func TestSessionsAreNamedByTheFirstWayThatIsKnownWhole(t *testing.T) {
	userName, address, session := Key{0, 1}, Key{0, 8}, Key{0, 44}
	nasIP, nasID := Key{0, 4}, Key{0, 32}
	l2tpns, _ := ShippedProfile("l2tpns")
	tests := []struct {
		name  string
		spec  ProfileSpec
		known []Key
		want  []Key
	}{
		{"the usual", ProfileSpec{}, []Key{session, userName, nasID, nasIP, address}, []Key{nasIP, session, userName}},
		{"without a User-Name", ProfileSpec{}, []Key{session, nasID}, []Key{nasID, session}},
		{"nothing but a name", ProfileSpec{}, []Key{userName, nasID}, nil},
		{"l2tpns", l2tpns, []Key{session, userName, nasIP, address}, []Key{nasIP, userName, address}},
		{"l2tpns before the address is known", l2tpns, []Key{session, userName}, []Key{userName}},
		{"l2tpns by Acct-Session-Id alone", l2tpns, []Key{session, nasIP}, nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			tt.spec.Filtered = Sayings{"Filter-Id": {"{filter}"}}
			id := compiled(t, tt.spec, asahi).Identification()
			got, ok := id.ForCoA(func(k Key) bool { return slices.Contains(tt.known, k) })
			if !slices.Equal(got, tt.want) || ok != (tt.want != nil) {
				t.Errorf("got %v, %v", got, ok)
			}
		})
	}
}

func TestMistakesInIdentificationAreFound(t *testing.T) {
	spec := ProfileSpec{Filtered: Sayings{"Filter-Id": {"{filter}"}}, CoA: CoASpec{
		NAS: []string{"NAS-Ip"}, Identify: []string{"Acct-Session-Id", "User-Name + Filter-Id"}, IdentifyToDisconnect: []string{""},
	}}
	_, errs := CompileProfile(Standard(), "test", spec, asahi)
	want := []string{`no attribute "NAS-Ip"`, "Filter-Id names no session", `no attribute ""`}
	if len(errs) != len(want) {
		t.Fatal(errs)
	}
	for i, err := range errs {
		if !strings.Contains(err.Error(), want[i]) {
			t.Errorf("got %v, want %s", err, want[i])
		}
	}
}

func TestQuirksThatAProfileDoesNotSay(t *testing.T) {
	p := compiled(t, ProfileSpec{Filtered: Sayings{"Filter-Id": {"{filter}"}}}, asahi)
	if got, want := p.Quirks(), (Quirks{Port: 3799, EventTimestamp: true}); got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
	no, yes := false, true
	p = compiled(t, ProfileSpec{Filtered: Sayings{"Filter-Id": {"{filter}"}}, CoA: CoASpec{Port: 1700, EventTimestamp: &no, MessageAuthenticator: &yes, SilentIgnore: true}}, asahi)
	if got, want := p.Quirks(), (Quirks{Port: 1700, MessageAuthenticator: true, SilentIgnore: true}); got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
}
