package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"sekisho/dict"
	"sekisho/engine/policyfile"
)

// TestRouterTextOfEveryProfile holds the text for every shipped profile, for a
// policy with three servers and one with a limit in force.
func TestRouterTextOfEveryProfile(t *testing.T) {
	for _, policy := range []string{"asahi-net", "asama-internet"} {
		for _, profile := range dict.ShippedProfiles() {
			t.Run(policy+" "+profile, func(t *testing.T) {
				r := sekisho(t, "", "policy", "acl", "--profile", profile, policy)
				if r.code != 0 {
					t.Fatal(r.stderr)
				}
				golden(t, filepath.Join("acl", policy+"-"+profile+".txt"), r.stdout)
			})
		}
	}
}

func TestRouterTextIsThereForEveryShippedPolicy(t *testing.T) {
	for _, policy := range policyfile.Shipped() {
		for _, profile := range dict.ShippedProfiles() {
			r := sekisho(t, "", "policy", "acl", "--profile", profile, policy)
			if r.code != 0 || !strings.Contains(r.stdout, "filters of policy "+policy+" for profile "+profile) {
				t.Errorf("%s for %s: %d %s", policy, profile, r.code, r.stderr)
			}
		}
	}
}

func TestRouterTextFromTheCommandLine(t *testing.T) {
	dir := t.TempDir()
	site := filepath.Join(dir, "site.yaml")
	putFile(t, site, `policy: nekonet
profiles:
  mine: {base: juniper-mx, open-filter: pass-all, names: {ipv6: "{filter}.6"}}
  bare: {filtered: {Filter-Id: "{filter}"}}
`)
	tests := []struct {
		name string
		args []string
		code int
		want string // in what is printed
	}{
		{"the profiles", nil, 0, "nokia-sros-rules  Nokia 7750 SR (SR OS), rules from RADIUS\n"},
		{"one action", []string{"--profile", "l2tpns", "--action", "block-all", "asahi-net"}, 0, "extended op25b-all\ndeny tcp any any eq 25\npermit ip any any\nexit\n"},
		{"an action without a filter", []string{"--profile", "l2tpns", "--action", "open", "asahi-net"}, 1, "policy asahi-net: no action open has a filter"},
		{"a profile of the site file", []string{"--profile", "mine", "-c", site, "asahi-net"}, 0, "family inet6 filter pass-all.6 term rest then accept"},
		{"a rate", []string{"--profile", "juniper-mx", "--kbps", "128", "asahi-net"}, 0, "bandwidth-limit 128k"},
		{"a rate in connections", []string{"--profile", "accel-ppp", "--connections", "3", "asahi-net"}, 0, "limit rate over 3/minute burst 3 packets"},
		{"no rate", []string{"--profile", "accel-ppp", "--connections", "0", "asahi-net"}, 2, "--connections at least 1"},
		{"a profile without text", []string{"--profile", "bare", "-c", site, "asahi-net"}, 1, "there is no configuration text for its routers; acl: in the profile may name one of"},
		{"no such profile", []string{"--profile", "mx", "-c", site, "asahi-net"}, 1, `there is no profile "mx"`},
		{"a name that the router does not take", []string{"--profile", "nokia-sros", "--open-filter", "pass", "asahi-net"}, 1, "numbers from 1 to 65535"},
		{"the policy of the site file", []string{"--profile", "l2tpns", "-c", site}, 0, "policy nekonet for profile l2tpns"},
		{"no policy", []string{"--profile", "l2tpns"}, 2, "say the policy, or a site file with --config"},
		{"no profile", []string{"asahi-net"}, 2, "say --profile"},
		{"no such policy", []string{"--profile", "l2tpns", "asahi"}, 1, "no policy of this name"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := sekisho(t, "", append([]string{"policy", "acl"}, tt.args...)...)
			if r.code != tt.code || !strings.Contains(r.stdout+r.stderr, tt.want) {
				t.Errorf("%d %s%s", r.code, r.stdout, r.stderr)
			}
		})
	}
}

func putFile(t *testing.T, file, text string) {
	t.Helper()
	if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

// TestRouterTextHasWhatItMustHave holds every text to the filters that the
// profile injects.
func TestRouterTextHasWhatItMustHave(t *testing.T) {
	for _, profile := range dict.ShippedProfiles() {
		t.Run(profile, func(t *testing.T) {
			if strings.HasSuffix(profile, "-rules") || profile == "nas-filter-rule" {
				return // no filter has a name there
			}
			open := "op25b-open"
			if profile == "nokia-sros" {
				open = "2500"
			}
			text := sekisho(t, "", "policy", "acl", "--profile", profile, "--open-filter", open, "asahi-net")
			r := sekisho(t, text.stdout, "policy", "lint-acl", "--profile", profile, "--open-filter", open, "-", "asahi-net")
			if r.code != 0 || strings.Contains(r.stdout, "lacking") || !strings.Contains(r.stdout, "filter of action block-all") {
				t.Errorf("%d\n%s%s", r.code, r.stdout, r.stderr)
			}
		})
	}
}

func TestLintOfARouterConfiguration(t *testing.T) {
	file := filepath.Join(t.TempDir(), "bras-1.conf")
	putFile(t, file, `! pasted
ip access-list extended op25b.in
 deny tcp any any eq 25
ip access-list extended OP25B-LIMIT
ipv6 access-list op25b-v6
ipv6 access-list op25b-al-v6
ipv6 access-list op25b-all
ip access-list extended op25b-all
`)
	r := sekisho(t, "", "policy", "lint-acl", file, "--profile", "cisco-ios", "asahi-net")
	want := `: op25b-limit: lacking, IPv4 filter of action limit; line 4 has OP25B-LIMIT: small and capital letters differ
: op25b-limit-v6: lacking, IPv6 filter of action limit
: op25b: lacking, IPv4 filter of action block; line 2 has op25b.in: the direction is no part of the name
:5: op25b-v6: IPv6 filter of action block
:8: op25b-all: IPv4 filter of action block-all
: op25b-all-v6: lacking, IPv6 filter of action block-all; line 6 has op25b-al-v6
`
	if got := strings.ReplaceAll(r.stdout, file, ""); got != want || r.code != exitFailed || !strings.Contains(r.stderr, "4 of 6 filters") {
		t.Errorf("%d\n%s%s", r.code, got, r.stderr)
	}
	for name, args := range map[string][]string{
		"without a profile":      {file},
		"without a file":         {"--profile", "cisco-ios"},
		"with too many policies": {file, "asahi-net", "nekonet", "--profile", "cisco-ios"},
	} {
		if r := sekisho(t, "", append([]string{"policy", "lint-acl"}, args...)...); r.code != exitUsage {
			t.Errorf("%s: %d %s", name, r.code, r.stderr)
		}
	}
	if r := sekisho(t, "", "policy", "lint-acl", file, "--profile", "nas-filter-rule"); r.code != exitFailed || !strings.Contains(r.stderr, "hold no filters by name") {
		t.Errorf("%d %s", r.code, r.stderr)
	}
}
