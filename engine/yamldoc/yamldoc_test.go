package yamldoc

import (
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

type site struct {
	Listen  string             `yaml:"listen" jsonschema:"required"`
	Mode    string             `yaml:"mode" jsonschema:"enum=drop,enum=pass"`
	Port    uint16             `yaml:"port" jsonschema:"minimum=1,maximum=65535"`
	Debug   bool               `yaml:"debug"`
	Share   float64            `yaml:"share"`
	Wait    Duration           `yaml:"wait-time"`
	Nets    List[Prefix]       `yaml:"nets"`
	NAS     map[string]nas     `yaml:"nas"`
	Actions Map[action]        `yaml:"actions"`
	Rules   []rule             `yaml:"rules"`
	Start   start              `yaml:"start"`
	Extra   *nas               `yaml:"extra"`
	Tags    map[string]Strings `yaml:"tags"`
	common
}

type common struct {
	Owner string `yaml:"owner"`
}

type nas struct {
	Address Addr   `yaml:"address" jsonschema:"required"`
	Secret  string `yaml:"secret" jsonschema:"required"`
}

type action struct {
	Allow []string `yaml:"allow"`
}

type rule struct {
	Name string `yaml:"name" jsonschema:"required"`
	When *when  `yaml:"when"`
}

type when struct {
	Course Strings `yaml:"course"`
	Not    *when   `yaml:"not"`
}

type start struct {
	Everywhere Duration            `yaml:",scalar"`
	ByArea     map[string]Duration `yaml:",mapping"`
}

const goodSite = `# a comment
listen: "127.0.0.1:1812"
mode: drop
port: 1812
debug: true
share: 0.5
wait-time: 1h30m
nets: 192.0.2.7
nas:
  bras1: {address: "2001:db8::1", secret: '007'}
actions:
  open:
  block: {allow: [a, b]}
  again: {}
rules:
  - name: one
    when:
      course: a
      not: {course: [b, c]}
start: {tokyo: 5s}
extra: &e {address: 192.0.2.1, secret: long}
tags: {x: y}
? owner
: |
  noc
  night
`

func TestDecodeFillsEveryKindOfValue(t *testing.T) {
	t.Parallel()
	got, _, problems := Decode[site]("site.yaml", []byte(goodSite))
	want := site{
		Listen: "127.0.0.1:1812", Mode: "drop", Port: 1812, Debug: true, Share: 0.5, Wait: Duration(90 * time.Minute),
		Nets:    List[Prefix]{{netip.MustParsePrefix("192.0.2.7/32")}},
		NAS:     map[string]nas{"bras1": {Addr{netip.MustParseAddr("2001:db8::1")}, "007"}},
		Actions: Map[action]{{"open", action{}}, {"block", action{[]string{"a", "b"}}}, {"again", action{}}},
		Rules:   []rule{{"one", &when{Strings{"a"}, &when{Course: Strings{"b", "c"}}}}},
		Start:   start{ByArea: map[string]Duration{"tokyo": Duration(5 * time.Second)}},
		Extra:   &nas{Addr{netip.MustParseAddr("192.0.2.1")}, "long"},
		Tags:    map[string]Strings{"x": {"y"}}, common: common{"noc\nnight\n"},
	}
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	if d := cmp.Diff(want, got, cmp.AllowUnexported(site{}), cmp.Comparer(func(a, b netip.Addr) bool { return a == b }),
		cmp.Comparer(func(a, b netip.Prefix) bool { return a == b })); d != "" {
		t.Error(d)
	}
}

func TestDecodeNamesEveryMistake(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, src string
		want      []string
	}{
		{"unknown key near a known one", "lisen: x\n", []string{`1:1: lisen: unknown key, did you mean "listen"?`}},
		{"unknown key near none", "listen: x\nnas:\n  b: {address: 192.0.2.1, secret: s, colour: red}\n",
			[]string{"3:38: nas.b.colour: unknown key; known here: address, secret"}},
		{"missing keys", "nas:\n  b: {}\n", []string{
			"1:1: listen: missing; this key is required (a string)",
			"2:6: nas.b.address: missing; this key is required (an IP address such as 192.0.2.1 or 2001:db8::1)",
			"2:6: nas.b.secret: missing; this key is required (a string)"}},
		{"list wanted", "listen: x\nrules: abc\n", []string{"2:8: rules: expected a list, got a string"}},
		{"mapping wanted", "listen: x\nnas: [a]\n", []string{"2:6: nas: expected a mapping, got a list"}},
		{"ordered mapping wanted", "listen: x\nactions: 5\n", []string{"2:10: actions: expected a mapping, got 5"}},
		{"string wanted", "listen: [x]\n", []string{"1:9: listen: expected a string, got a list"}},
		{"string forgotten", "listen:\n", []string{"1:1: listen: expected a string, got nothing"}},
		{"number where text is wanted", "listen: 0123\n", []string{"1:9: listen: expected a string, got a number; put it in quotes if it is meant as text"}},
		{"not one of the words", "listen: x\nmode: dorp\n", []string{`2:7: mode: expected one of drop, pass, got "dorp"`}},
		{"number out of bounds", "listen: x\nport: 70000\n", []string{"2:7: port: expected a whole number from 1 to 65535, got 70000"}},
		{"below the bounds", "listen: x\nport: 0\n", []string{"2:7: port: expected a whole number from 1 to 65535, got 0"}},
		{"fraction", "listen: x\nport: 1.5\n", []string{"2:7: port: expected a whole number, got 1.5"}},
		{"text for a number", "listen: x\nport: many\n", []string{`2:7: port: expected a whole number, got "many"`}},
		{"text for a boolean", "listen: x\ndebug: yes\n", []string{`2:8: debug: expected true or false, got "yes"`}},
		{"bad duration", "listen: x\nwait-time: 3x\n", []string{`2:12: wait-time: expected a duration such as 5s, 1h30m or 90d, got "3x"`}},
		{"bad address", "listen: x\nextra: {address: '', secret: s}\n", []string{`2:18: extra.address: expected an IP address such as 192.0.2.1 or 2001:db8::1, got ""`}},
		{"host bits", "listen: x\nnets: [192.0.2.1/24]\n",
			[]string{`2:8: nets[0]: expected an IP address or prefix such as 192.0.2.0/24 or 2001:db8::/32, got "192.0.2.1/24"; the prefix itself is 192.0.2.0/24`}},
		{"one or many wanted", "listen: x\nrules: [{name: a, when: {course: {b: c}}}]\n",
			[]string{"2:34: rules[a].when.course: expected a string or a list, got a mapping"}},
		{"bad element of a list", "listen: x\nrules:\n  - name: a\n    when: {course: [b, [c]]}\n",
			[]string{"4:24: rules[a].when.course[1]: expected a string, got a list"}},
		{"union in no allowed form", "listen: x\nstart: [1]\n", []string{"2:8: start: expected a duration such as 5s, 1h30m or 90d, or a mapping, got a list"}},
		{"bad part of a union", "listen: x\nstart: {tokyo: soon}\n", []string{`2:16: start.tokyo: expected a duration such as 5s, 1h30m or 90d, got "soon"`}},
		{"highest number allowed", "listen: x\nport: 65535\n", nil},
		{"duplicate keys", "listen: x\nlisten: y\nnas:\n  b: {address: 192.0.2.1, secret: s}\n  b: {address: 192.0.2.1, secret: s}\n",
			[]string{"2:1: listen: written twice, first on line 1", "5:3: nas.b: written twice, first on line 4"}},
		{"several at once, sorted", "wait-time: 3x\nport: many\nbogus: 1\n", []string{
			"1:1: listen: missing; this key is required (a string)",
			`1:12: wait-time: expected a duration such as 5s, 1h30m or 90d, got "3x"`,
			`2:7: port: expected a whole number, got "many"`,
			"3:1: bogus: unknown key; known here: listen, mode, port, debug, share, wait-time, nets, nas, actions, rules, start, extra and 2 more"}},
		{"element without a name", "listen: x\nrules: [{}]\n", []string{"2:9: rules[0].name: missing; this key is required (a string)"}},
		{"alias of nothing", "listen: *nobody\n", []string{"1:9: listen: the alias has no anchor of that name"}},
		{"alias of itself", "listen: x\nextra: &a {address: *a, secret: s}\n", []string{"2:21: extra.address: expected an IP address such as 192.0.2.1 or 2001:db8::1, got a mapping"}},
		{"empty", "", []string{"1:1: the file is empty"}},
		{"only comments", "# nothing\n", []string{"1:1: the file is empty"}},
		{"not a mapping", "- a\n", []string{"1:1: expected a mapping, got a list"}},
		{"two documents", "listen: x\n---\nlisten: y\n", []string{"3:1: a second document starts here; expected one document per file (remove the --- line)"}},
		{"tab", "listen: x\nnas:\n\tb: 1\n", []string{"3:1: not valid YAML: a tab is used for indentation; use spaces"}},
		{"open list", "listen: [a\nport: 1\n", []string{"2:1: not valid YAML: the list is not closed: expected \",\" or \"]\""}},
		{"open quote", "listen: 'x\n", []string{"1:9: not valid YAML: the closing quote is missing"}},
		{"second colon", "listen: a: b\n", []string{"1:9: not valid YAML: a second \": \" on one line; put the text in quotes, or start a new line for the key"}},
		{"not UTF-8", "listen: x\nowner: \xff\n", []string{"2:1: the line is not UTF-8 text"}},
		{"nested beyond reason", "listen: " + strings.Repeat("[", 2000), []string{"1:109: nested deeper than 100 levels"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			_, _, problems := Decode[site]("s", []byte(tt.src))
			var got []string
			for _, p := range problems {
				got = append(got, strings.TrimPrefix(p.String(), "s:"))
			}
			if d := cmp.Diff(tt.want, got); d != "" {
				t.Errorf("source:\n%s\n-want +got:\n%s", tt.src, d)
			}
		})
	}
}

func TestAnchorsAndMergeKeysAreFollowed(t *testing.T) {
	t.Parallel()
	src := "listen: x\nextra: &e {address: 192.0.2.1, secret: s}\nnas:\n  a: *e\n  b:\n    <<: *e\n    secret: own\n"
	got, _, problems := Decode[site]("s", []byte(src))
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	if got.NAS["a"].Secret != "s" || got.NAS["b"].Secret != "own" || got.NAS["b"].Address.String() != "192.0.2.1" {
		t.Errorf("got %+v", got.NAS)
	}
}

func TestAliasesCannotUnfoldWithoutBound(t *testing.T) {
	t.Parallel()
	var b strings.Builder
	b.WriteString("a0: &a0 {x: [1]}\n")
	for i := range 40 {
		b.WriteString(strings.NewReplacer("N", string(rune('0'+i/10))+string(rune('0'+i%10)), "M", string(rune('0'+(i-1+100)%100/10))+string(rune('0'+(i-1+100)%10))).Replace("bN: &bN {p: *bM, q: *bM}\n"))
	}
	type tree map[string]tree
	_, _, problems := Decode[tree]("s", []byte(b.String()))
	if problems.Err() == nil {
		t.Error("no problem reported")
	}
}

func TestMergeKeysTakeLists(t *testing.T) {
	t.Parallel()
	src := "a: &a {x: [1a], y: [2a]}\nb: &b {y: [b], z: [c]}\nc: {<<: [*a, *b], x: [own]}\n"
	got, _, problems := Decode[map[string]map[string]Strings]("s", []byte(src))
	want := map[string]Strings{"x": {"own"}, "y": {"2a"}, "z": {"c"}}
	if d := cmp.Diff(want, got["c"]); d != "" || len(problems) > 0 {
		t.Errorf("%s%v", d, problems)
	}
}

func TestCirclesAndDepthEnd(t *testing.T) {
	t.Parallel()
	for name, src := range map[string]string{
		"condition within itself": "listen: x\nrules: [{name: a, when: &w {not: *w}}]\n",
		"merge within itself":     "listen: x\nextra: &e {<<: *e}\n",
		"alias of an alias":       "listen: &a *b\nowner: &b *a\n",
		"dashes":                  "listen: x\nrules:\n" + strings.Repeat("- ", 500) + "a\n",
		"too large":               "listen: " + strings.Repeat("x", maxBytes),
	} {
		if _, _, problems := Decode[site]("s", []byte(src)); problems.Err() == nil || len(problems) > 5 {
			t.Errorf("%s: %d problems", name, len(problems))
		}
	}
}

func TestDocumentPointsAtPaths(t *testing.T) {
	t.Parallel()
	src := "listen: x\nrules:\n  - name: stage-2\n    when: {course: [a, ある]}\n"
	_, d, _ := Decode[site]("s.yaml", []byte(src))
	tests := []struct {
		name string
		got  Problem
		want string
	}{
		{"only element written as a scalar", d.Problem([]any{"listen", 0}, "bad"), "s.yaml:1:9: listen: bad"},
		{"value", d.Problem([]any{"rules", 0, "when", "course", 1}, "no %s", "such"), "s.yaml:4:24: rules[stage-2].when.course[1]: no such"},
		{"key", d.ProblemAtKey([]any{"rules", 0, "when", "course"}, "bad"), "s.yaml:4:12: rules[stage-2].when.course: bad"},
		{"nearest parent", d.Problem([]any{"rules", 0, "then"}, "bad"), "s.yaml:3:5: rules[stage-2].then: bad"},
		{"index beyond the list", d.Problem([]any{"rules", 7, "then"}, "bad"), "s.yaml:3:3: rules[7].then: bad"},
		{"warning", d.Warning([]any{"listen"}, "odd"), "s.yaml:1:9: warning: listen: odd"},
		{"whole file", d.Problem(nil, "bad"), "s.yaml:1:1: bad"},
	}
	for _, tt := range tests {
		if got := tt.got.String(); got != tt.want {
			t.Errorf("%s: got %s, want %s", tt.name, got, tt.want)
		}
	}
}

func FuzzDecode(f *testing.F) {
	f.Add([]byte(goodSite))
	for _, s := range []string{"", "a", "\t", "? a\n: b", "a: &b *b", "<<: *x", "<<: [1]", "- - -", "!!str", "a: |\n", "{a", "%YAML 1.2\n---\n", "listen: !!str 5", "port: 0x1f", "? [a]\n: b"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, src []byte) {
		_, d, problems := Decode[site]("s", src)
		_ = problems.Error()
		for _, p := range problems {
			if p.Line < 1 || p.Column < 1 {
				t.Errorf("no position: %s", p)
			}
		}
		_ = d.Problem([]any{"rules", 0, "name"}, "x").String()
	})
}

func TestDurationInDays(t *testing.T) {
	for text, want := range map[string]time.Duration{"90d": 90 * 24 * time.Hour, "0d": 0, "1h": time.Hour} {
		var d Duration
		if err := d.UnmarshalText([]byte(text)); err != nil || time.Duration(d) != want {
			t.Errorf("%s: %v, %v", text, time.Duration(d), err)
		}
	}
	for _, text := range []string{"d", "-1d", "1.5d", "200000d", "1h1d"} {
		if err := new(Duration).UnmarshalText([]byte(text)); err == nil {
			t.Errorf("%s was read", text)
		}
	}
}
