package config

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"sekisho/dict"
	"sekisho/engine/policyfile"
)

func TestProfileOfASiteFile(t *testing.T) {
	policy, _ := policyfile.Load("asahi-net")
	site, err := Profile("testdata/full.good.yaml", "own-mx")
	if err != nil || site.Policy != "asahi-net" {
		t.Fatal(site.Policy, err)
	}
	p, errs := dict.CompileProfile(site.Dictionary, "own-mx", site.Spec, Actions(policy))
	if errs != nil {
		t.Fatal(errs)
	}
	want := dict.Quirks{Port: 1700, MessageAuthenticator: true, SilentIgnore: true, FirstMatchOnly: true, OneAtATime: true}
	if p.Quirks() != want || p.Fallback() != dict.ByDisconnect || p.Means("open") != dict.ByCoA {
		t.Errorf("%+v, %v, %v", p.Quirks(), p.Fallback(), p.Means("open"))
	}
	if open, _ := p.CoA("open"); strings.Join(open.Text, " ") != `ERX-IPv6-Ingress-Policy-Name = "op25b-open-in6" ERX-Ingress-Policy-Name = "op25b-open-in"` {
		t.Errorf("open: %q", open.Text)
	}
	if block, _ := p.Login("block"); strings.Join(block.Text, " ") != `ERX-IPv6-Ingress-Policy-Name = "smtp-block-in6" ERX-Ingress-Policy-Name = "smtp-block-in"` {
		t.Errorf("block: %q", block.Text)
	}
	if _, knows := site.Dictionary.Lookup("Example-Port25"); !knows {
		t.Error("the dictionary of the site file is not there")
	}
}

func TestProfilesThatAreNotThere(t *testing.T) {
	broken := filepath.Join(t.TempDir(), "broken.yaml")
	if err := os.WriteFile(broken, []byte("profiles: {mx: {base: juniper}}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	tests := []struct{ file, name, want string }{
		{"", "junipermx", `there is no profile "junipermx"; did you mean "juniper-mx"?`},
		{"testdata/full.good.yaml", "own-m", `did you mean "own-mx"?`},
		{"testdata/nothing.yaml", "own-mx", "reading the site file"},
		{"testdata/tab.bad.yaml", "own-mx", "tab.bad.yaml"},
		{broken, "mx", `there is no shipped profile "juniper"`},
	}
	for _, tt := range tests {
		if _, err := Profile(tt.file, tt.name); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s of %q: got %v, want %s", tt.name, tt.file, err, tt.want)
		}
	}
}
