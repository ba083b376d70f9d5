package dict

import (
	"encoding/hex"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "write what is found as what is expected")

// TestShippedProfilesInHex holds what every shipped profile puts on the wire,
// at login and by CoA, and how it names sessions, against testdata/profiles.
func TestShippedProfilesInHex(t *testing.T) {
	for _, name := range ShippedProfiles() {
		t.Run(name, func(t *testing.T) {
			spec, _ := ShippedProfile(name)
			spec.OpenFilter = "op25b-open"
			if name == "nokia-sros" {
				spec.OpenFilter = "2500"
			}
			golden(t, filepath.Join("testdata", "profiles", name+".txt"), describe(t, spec))
		})
	}
}

func golden(t *testing.T, file, got string) {
	t.Helper()
	if *update {
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
}

// describe writes down all that a profile says.
func describe(t *testing.T, spec ProfileSpec) string {
	p := compiled(t, spec, asahi)
	var b strings.Builder
	for _, a := range asahi {
		login, _ := p.Login(a.Name)
		fmt.Fprintf(&b, "login %s\n%s", a.Name, said(login))
		live, ok := p.CoA(a.Name)
		fmt.Fprintf(&b, "live %s by %s\n%s", a.Name, p.Means(a.Name), said(live))
		if !ok {
			fmt.Fprintf(&b, "  %s\n", p.NoCoA(a.Name))
		}
	}
	id := p.Identification()
	fmt.Fprintf(&b, "router %s\nsession %s\ndisconnect %s\n", names(id.NAS), waysOf(id.CoA), waysOf(id.Disconnect))
	fmt.Fprintf(&b, "%+v\n", p.Quirks())
	for _, w := range p.Warnings {
		fmt.Fprintf(&b, "warning %v: %v\n", w.Path, w)
	}
	return b.String()
}

func said(s Saying) string {
	var b strings.Builder
	for rest := s.Wire; len(rest) > 0; rest = rest[rest[1]:] {
		fmt.Fprintf(&b, "  %s\n", hex.EncodeToString(rest[:rest[1]]))
	}
	for _, text := range s.Text {
		fmt.Fprintf(&b, "  %s\n", text)
	}
	return b.String()
}

func names(keys []Key) string {
	var list []string
	for _, k := range keys {
		a, _ := Standard().ByKey(k)
		list = append(list, a.Name)
	}
	return strings.Join(list, " + ")
}

func waysOf(ways []Way) string {
	var list []string
	for _, w := range ways {
		list = append(list, names(w))
	}
	return strings.Join(list, ", or ")
}

func TestCase51NamesThatTheRouterTakes(t *testing.T) {
	tests := []struct {
		profile, filter string
		refused, warned string
	}{
		{"filter-id", strings.Repeat("x", 253), "", "has 253 octets: what this router takes is not known"},
		{"filter-id", strings.Repeat("x", 32), "", "others take from 31 to 64"},
		{"filter-id", strings.Repeat("x", 31), "", ""},
		{"filter-id", "25", "", "several routers take a number in Filter-Id for that of an access list"},
		{"filter-id", "25a", "", ""},
		{"ericsson", "25", "", "several routers take a number in Filter-Id"},
		{"huawei", "3001", "", "take 3000 to 3999 in Filter-Id for the number of an access list"},
		{"l2tpns", "25", "", "nothing for IPv6"},
		{"l2tpns", "op.25", "letters, digits, hyphens and underscores", ""},
		{"mikrotik", "25", "", "nothing for IPv6"},
		{"mikrotik", strings.Repeat("x", 80), "", "has 80 octets"},
		{"address-pool", "25", "", ""},
		{"cisco-ios", strings.Repeat("x", 80), "", "has 80 octets"},
		{"nas-filter-rule", strings.Repeat("x", 80), "", ""},
		{"nas-filter-rule", "25", "", ""},
		{"filter-id", strings.Repeat("x", 254), "at most 253 octets", ""},
		{"l2tpns", strings.Repeat("x", 31), "", "nothing for IPv6"},
		{"l2tpns", strings.Repeat("x", 32), "has 32 octets, and the router takes 31", ""},
		{"filter-id", "op25b\x00", "", "no blanks"},
		{"filter-id", "op 25b", "", "no blanks"},
		{"filter-id", "番", "", "printable ASCII"},
		{"cisco-ios", "op25b\x00", "begin with a letter", ""},
		{"cisco-ios", "op 25b", "begin with a letter", ""},
		{"cisco-ios", "25b", "begin with a letter", ""},
		{"cisco-xr", strings.Repeat("x", 62), `has 65 octets, and the router takes 64`, ""},
		{"juniper-mx", strings.Repeat("x", 61), "", ""},
		{"juniper-mx", strings.Repeat("x", 62), `has 65 octets, and the router takes 64`, ""},
		{"juniper-mx", "op25b'", "letters, digits and hyphens", ""},
		{"nokia-sros", "65535", "", ""},
		{"nokia-sros", "65536", "numbers from 1 to 65535", ""},
		{"nokia-sros", "op25x", "give it one under names: {map: {op25x: …}}", ""},
		{"accel-ppp", "op25b", "", ""},
		{"accel-ppp", "25", "", "reads numbers as a rate"},
	}
	for _, tt := range tests {
		t.Run(fmt.Sprintf("%s %.20q", tt.profile, tt.filter), func(t *testing.T) {
			spec, _ := ShippedProfile(tt.profile)
			p, errs := CompileProfile(Standard(), tt.profile, spec, []Action{{Name: "open"}, {Name: "block", Filter: tt.filter}})
			expect(t, errs, tt.refused)
			if tt.warned != "" || tt.refused == "" && len(p.Warnings) > 0 {
				expect(t, p.Warnings, tt.warned)
			}
			if number := strings.Contains(fmt.Sprint(p.Warnings), "is a number"); number != strings.Contains(tt.warned, "number") {
				t.Errorf("got %v", p.Warnings)
			}
		})
	}
}

// expect wants one message with the text, or none.
func expect[E error](t *testing.T, got []E, want string) {
	t.Helper()
	if (want == "") != (len(got) == 0) {
		t.Fatalf("got %v, want %q", got, want)
	}
	if want != "" && !slices.ContainsFunc(got, func(e E) bool { return strings.Contains(e.Error(), want) }) {
		t.Errorf("got %v, want %q", got, want)
	}
}
