package dict

import (
	"errors"
	"testing"

	"sekisho/engine/yamldoc"
)

// FuzzCompileProfile holds that no profile of an operator's breaks the
// compiling, that every mistake knows its place, and that what comes out is
// whole attributes.
func FuzzCompileProfile(f *testing.F) {
	for _, name := range ShippedProfiles() {
		src, err := profileFiles.ReadFile("profiles/" + name + ".yaml")
		if err != nil {
			f.Fatal(err)
		}
		f.Add(string(src), "op25b")
	}
	f.Add("filtered: {\"ERX-Service-Activate:1\": \"{filter}\"}\nnames: {pattern: \"(\", map: {x: y}}\ncoa: {identify: [User-Name + , +]}\n", "x")
	f.Fuzz(func(t *testing.T, src, filter string) {
		spec, _, _ := yamldoc.Decode[ProfileSpec]("fuzz.yaml", []byte(src))
		actions := []Action{{Name: "open"}, {Name: "limit", Filter: filter}, {Name: "block", Filter: filter}}
		p, errs := CompileProfile(Standard(), "fuzz", spec, actions)
		for _, err := range errs {
			if fault := (*Fault)(nil); !errors.As(err, &fault) || len(fault.Path) == 0 {
				t.Fatalf("%v has no place", err)
			}
		}
		for _, a := range actions {
			login, _ := p.Login(a.Name)
			live, ok := p.CoA(a.Name)
			wholeAttributes(t, login.Wire)
			wholeAttributes(t, live.Wire)
			if ok != (p.Means(a.Name) == ByCoA) || ok != (p.NoCoA(a.Name) == "") {
				t.Fatalf("%s: %v by %s, %q", a.Name, ok, p.Means(a.Name), p.NoCoA(a.Name))
			}
		}
	})
}

func wholeAttributes(t *testing.T, wire []byte) {
	t.Helper()
	for rest := wire; len(rest) > 0; rest = rest[rest[1]:] {
		if len(rest) < 3 || int(rest[1]) > len(rest) || rest[1] < 3 {
			t.Fatalf("%x is no list of attributes", wire)
		}
	}
}
