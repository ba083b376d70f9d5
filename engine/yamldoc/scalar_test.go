package yamldoc

import (
	"net/netip"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// numbers has every kind of number, with one bound and without.
type numbers struct {
	Count int8    `yaml:"count"`
	Least int     `yaml:"least" jsonschema:"minimum=-2"`
	Most  float64 `yaml:"most" jsonschema:"maximum=1.5"`
	Free  uint8   `yaml:"free"`
	Net   Prefix  `yaml:"net"`
	Tag   string  `yaml:"tag"`
}

func TestDecodeNumbers(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, src string
		want      numbers
		problem   string
	}{
		{"negative", "count: -5", numbers{Count: -5}, ""},
		{"hexadecimal, octal, grouped", "{count: 0x1f, least: 0o17, free: 0b11, most: -1_0.5}", numbers{Count: 31, Least: 15, Free: 3, Most: -10.5}, ""},
		{"whole where a fraction may be", "most: 1", numbers{Most: 1}, ""},
		{"too large for its kind", "count: 200", numbers{}, "1:8: count: expected a whole number, got 200"},
		{"negative without a sign's room", "free: -1", numbers{}, "1:7: free: expected a whole number, got -1"},
		{"larger than any", "least: 99999999999999999999", numbers{}, `1:8: least: expected a whole number, got "99999999999999999999"`},
		{"below the least", "least: -3", numbers{Least: -3}, "1:8: least: expected a whole number not below -2, got -3"},
		{"above the most", "most: 1.6", numbers{Most: 1.6}, "1:7: most: expected a number not above 1.5, got 1.6"},
		{"infinite", "most: .inf", numbers{}, "1:7: most: expected a number, got .inf"},
		{"a prefix", "net: 192.0.2.0/24", numbers{Net: Prefix{netip.MustParsePrefix("192.0.2.0/24")}}, ""},
		{"a prefix too long", "net: 192.0.2.0/33", numbers{}, `1:6: net: expected an IP address or prefix such as 192.0.2.0/24 or 2001:db8::/32, got "192.0.2.0/33"`},
		{"tagged text", "tag: !!str 007", numbers{}, "1:6: tag: expected a string, got a number; put it in quotes if it is meant as text"},
		{"key with a tag and an anchor", "!!str tag: x", numbers{Tag: "x"}, ""},
	}
	for _, tt := range tests {
		got, _, problems := Decode[numbers]("s", []byte(tt.src))
		if text := strings.TrimPrefix(problems.Error(), "s:"); got != tt.want || text != tt.problem {
			t.Errorf("%s: got %+v, %s", tt.name, got, text)
		}
	}
}

func TestMapKeepsOrder(t *testing.T) {
	t.Parallel()
	m := Map[int]{{"b", 1}, {"a", 2}, {"b", 3}}
	if d := cmp.Diff([]string{"b", "a", "b"}, m.Keys()); d != "" {
		t.Error(d)
	}
	if v, ok := m.Get("b"); v != 1 || !ok {
		t.Errorf("Get(b) = %d, %v", v, ok)
	}
	if v, ok := m.Get("c"); ok {
		t.Errorf("Get(c) = %d", v)
	}
}
