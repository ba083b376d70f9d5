package acl

import (
	"net/netip"
	"strings"
	"testing"

	"sekisho/dict"
)

var mail = dict.Host{Name: "mail.isp.example", Addresses: []netip.Addr{netip.MustParseAddr("192.0.2.25"), netip.MustParseAddr("2001:db8::25")}}

func subject(t testing.TB, profile string, hosts ...dict.Host) Subject {
	t.Helper()
	spec, ok := dict.ShippedProfile(profile)
	if !ok {
		t.Fatalf("no profile %s", profile)
	}
	return Subject{Policy: "test", Profile: profile, Spec: spec, Rate: UsualRate, Actions: []dict.Action{
		{Name: "open"},
		{Name: "limit", Filter: "op25b-limit", Allow: hosts},
		{Name: "block", Filter: "op25b", Allow: hosts},
		{Name: "block-all", Filter: "op25b-all"},
	}}
}

// code is a text without its comments and empty lines.
func code(text, comment string) []string {
	var lines []string
	for _, line := range strings.Split(text, "\n") {
		line = strings.TrimSpace(line)
		if line != "" && !strings.ContainsRune(comment, rune(line[0])) {
			lines = append(lines, line)
		}
	}
	return lines
}

func TestEveryProfileHasText(t *testing.T) {
	for _, profile := range dict.ShippedProfiles() {
		t.Run(profile, func(t *testing.T) {
			s := subject(t, profile, mail)
			all, err := Text(s, "")
			if err != nil {
				t.Fatal(err)
			}
			blockAll, err := Text(s, "block-all")
			if err != nil {
				t.Fatal(err)
			}
			for _, line := range code(all, "#!") {
				if strings.Contains(line, "465") || strings.Contains(line, "587") {
					t.Errorf("touches a port that is never filtered: %s", line)
				}
			}
			if strings.Contains(blockAll, "192.0.2.25") || strings.Contains(blockAll, "2001:db8::25") {
				t.Error("block-all lets something through")
			}
			if !strings.Contains(all, "192.0.2.25") {
				t.Error("block lets nothing through")
			}
			if s.Spec.Names.IPv6 != "" && !strings.Contains(all, "2001:db8::25") {
				t.Error("block lets nothing through over IPv6")
			}
		})
	}
}

func TestEveryTemplateIsAProfilesOwn(t *testing.T) {
	used := map[string]bool{}
	for _, profile := range dict.ShippedProfiles() {
		spec, _ := dict.ShippedProfile(profile)
		used[spec.ACL] = true
	}
	for _, router := range Routers() {
		if !used[router] {
			t.Errorf("no shipped profile has acl: %s", router)
		}
	}
}

func TestHostNamesCannotBreakOutOfAComment(t *testing.T) {
	evil := mail
	evil.Name = "mail\"\nreload in 1\\"
	for _, profile := range dict.ShippedProfiles() {
		text, err := Text(subject(t, profile, evil), "")
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(text, "\nreload") || strings.Contains(text, `mail"`) {
			t.Errorf("%s:\n%s", profile, text)
		}
	}
}

func TestAPolicyWithoutHostsBlocksEverything(t *testing.T) {
	for _, profile := range dict.ShippedProfiles() {
		text, err := Text(subject(t, profile), "")
		if err != nil || strings.Contains(text, "<no value>") || strings.Contains(text, "-own\n") {
			t.Errorf("%s: %v\n%s", profile, err, text)
		}
	}
}

func TestWhatARouterDefines(t *testing.T) {
	tests := []struct {
		router, text string
		want         []defined
	}{
		{"cisco-ios", "ip access-list extended a\r\n! ip access-list extended b\naccess-list 101 permit ip any any\n ipv6 access-list c\n", []defined{{"a", ipv4, 1}, {"101", ipv4, 3}, {"c", ipv6, 4}}},
		{"cisco-xr", "ipv4 access-list a\nipv6 access-list a\nip access-list extended b\n", []defined{{"a", ipv4, 1}, {"a", ipv6, 2}}},
		{"juniper-mx", "firewall {\n    family inet {\n        filter a {\n    }\n    family inet6 {\n        filter \"b c\" {\n        filter b {\n        inactive: filter d {\n", []defined{{"a", ipv4, 3}, {"b", ipv6, 7}}},
		{"juniper-mx", "set firewall family inet6 filter a term x then accept\nset firewall filter b term x then accept\nset logical-systems ls firewall family inet filter c interface-specific\n# set firewall filter d\n", []defined{{"a", ipv6, 1}, {"b", ipv4, 2}, {"c", ipv4, 3}}},
		{"juniper-mx", "set dynamic-profiles p interfaces i unit u family inet filter input \"$junos-input-filter\"\n", nil},
		{"juniper-erx", "ip policy-list a\nipv6 policy-list b\nip classifier-list c tcp any any eq 25\n", []defined{{"a", ipv4, 1}, {"b", ipv6, 2}}},
		{"huawei", "user-group a\nacl 6001\n rule 5 permit tcp source user-group b destination any\n", []defined{{"a", both, 1}}},
		{"nokia-sros", "configure filter ip-filter 2502 create\n    ipv6-filter 2502 name \"x\" create\n/configure filter ip-filter \"2503\" scope template\n        ip-filter \"2504\" {\n", []defined{{"2502", ipv4, 1}, {"2502", ipv6, 2}, {"2503", ipv4, 3}, {"2504", ipv4, 4}}},
		{"ericsson", "ip access-list a\n seq 10 deny tcp any any eq 25\n", []defined{{"a", ipv4, 1}}},
		{"mikrotik", "/ip firewall filter\nadd chain=forward protocol=tcp src-address-list=a action=drop\n/ipv6 firewall filter\nadd chain=forward src-address-list=\"b\" action=drop\n", []defined{{"a", ipv4, 2}, {"b", ipv6, 4}}},
		{"l2tpns", "ip access-list extended a\nexit\nip access-list standard b\n", []defined{{"a", ipv4, 1}, {"b", ipv4, 3}}},
		{"strongswan", "table ip sekisho {\n\tset a {\n}\ntable ip6 sekisho {\n\tset a {\n}\ntable inet x {\n  set b {\n", []defined{{"a", ipv4, 2}, {"a", ipv6, 5}, {"b", both, 8}}},
	}
	for _, tt := range tests {
		t.Run(tt.router+" "+tt.text, func(t *testing.T) {
			got := grammars[tt.router].read(tt.text)
			if len(got) != len(tt.want) {
				t.Fatalf("got %v, want %v", got, tt.want)
			}
			for i := range got {
				if got[i] != tt.want[i] {
					t.Errorf("got %v, want %v", got[i], tt.want[i])
				}
			}
		})
	}
}

func TestLintSaysWhatIsThereInstead(t *testing.T) {
	tests := []struct{ name, profile, text, want string }{
		{"letters", "ericsson", "ip access-list OP25B\n", ": op25b: lacking, IPv4 filter of action block; line 1 has OP25B: small and capital letters differ"},
		{"a direction", "ericsson", "ip access-list op25b-out\n", ": op25b: lacking, IPv4 filter of action block; line 1 has op25b-out: the direction is no part of the name"},
		{"a direction before it", "ericsson", "ip access-list in:op25b\n", "line 1 has in:op25b: the direction is no part of the name"},
		{"the other family", "cisco-xr", "ipv6 access-list op25b\n", ": op25b: lacking, IPv4 filter of action block; line 1 defines it for IPv6"},
		{"another spelling", "ericsson", "ip access-list op25\n", "line 1 has op25"},
		{"both families in one", "huawei", "user-group op25b\n", ":1: op25b: IPv4 and IPv6 filter of action block"},
		{"one family of two", "filter-id", "ip access-list extended op25b\n", ": op25b: lacking, IPv6 filter of action block; line 1 defines it for IPv4"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r, err := Lint(subject(t, tt.profile), tt.text)
			if err != nil {
				t.Fatal(err)
			}
			var all []string
			for _, f := range r.Findings {
				all = append(all, f.String())
			}
			if text := strings.Join(all, "\n"); !strings.Contains(text, tt.want) {
				t.Errorf("got\n%s", text)
			}
		})
	}
}

// FuzzLint holds that no configuration breaks the reading, and that what is
// called defined stands in the line that is named.
func FuzzLint(f *testing.F) {
	for _, profile := range dict.ShippedProfiles() {
		text, err := Text(subject(f, profile, mail), "")
		if err != nil {
			f.Fatal(err)
		}
		f.Add(profile, text)
	}
	f.Fuzz(func(t *testing.T, profile, text string) {
		if _, ok := dict.ShippedProfile(profile); !ok {
			return
		}
		r, err := Lint(subject(t, profile), text)
		if err != nil {
			return
		}
		lines := strings.Split(text, "\n")
		for _, finding := range r.Findings {
			if finding.Line > 0 && !strings.Contains(lines[finding.Line-1], finding.Name) {
				t.Fatalf("%s is not in line %d", finding.Name, finding.Line)
			}
		}
	})
}

// TestNamesStayInTheirComments has a policy whose names would be lines of the
// router's configuration.
func TestNamesStayInTheirComments(t *testing.T) {
	const evil = "a\nreload */ \"b\r\nreload"
	for _, profile := range dict.ShippedProfiles() {
		s := subject(t, profile, dict.Host{Name: evil, Addresses: mail.Addresses})
		s.Policy, s.Profile, s.Spec.For = evil, evil, evil
		for i := range s.Actions {
			s.Actions[i].Name += evil
		}
		text, err := Text(s, "")
		if err != nil {
			t.Fatal(err)
		}
		for _, line := range strings.FieldsFunc(text, func(r rune) bool { return r == '\n' || r == '\r' }) {
			if strings.HasPrefix(strings.TrimSpace(line), "reload") {
				t.Errorf("%s: a line of its own: %q", profile, line)
			}
		}
	}
}
