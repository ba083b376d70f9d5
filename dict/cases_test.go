package dict

import (
	"encoding/hex"
	"net/netip"
	"strings"
	"testing"
)

// rulesOf joins rules with the NUL that RFC 4849 section 2 puts between them.
func rulesOf(rules ...string) string { return strings.Join(rules, "\x00") }

func TestCase52NASFilterRule(t *testing.T) {
	rules, _ := ShippedProfile("nas-filter-rule")
	hosts := []Host{{Name: "mail", Addresses: []netip.Addr{netip.MustParseAddr("192.0.2.25"), netip.MustParseAddr("2001:db8::25")}}}
	p := compiled(t, rules, []Action{{Name: "open"}, {Name: "block", Filter: "op25b", Allow: hosts}})
	block, _ := p.Login("block")
	want := rulesOf("permit in 6 from any to 192.0.2.25/32 25", "permit in 6 from any to 2001:db8::25/128 25",
		"deny in 6 from any to any 25", "permit in ip from any to any")
	if got := string(block.Wire[2:]); got != want || int(block.Wire[1]) != len(want)+2 {
		t.Errorf("got %q, want %q", got, want)
	}

	t.Run("600 octets", func(t *testing.T) {
		set := rulesOf(strings.Repeat("a", 199), strings.Repeat("b", 200), strings.Repeat("c", 199))
		p := compiled(t, ProfileSpec{Filtered: Sayings{"NAS-Filter-Rule": {set}}}, []Action{{Name: "open"}, {Name: "block", Filter: "x"}})
		block, _ := p.Login("block")
		var joined []byte
		var lengths []int
		for rest := block.Wire; len(rest) > 0; rest = rest[rest[1]:] {
			if rest[0] != 92 {
				t.Fatalf("attribute %d", rest[0])
			}
			joined, lengths = append(joined, rest[2:rest[1]]...), append(lengths, int(rest[1])-2)
		}
		if string(joined) != set || len(lengths) != 3 || lengths[0] != 253 || lengths[1] != 253 || lengths[2] != 94 {
			t.Errorf("pieces of %v, %q", lengths, joined)
		}
		if _, ours := p.Owns(Key{0, 92}, []byte(set[253:506])); !ours {
			t.Error("a piece of ours is not recognised")
		}
	})
	t.Run("removed at Nokia by one zero octet", func(t *testing.T) {
		nokia, _ := ShippedProfile("nokia-sros-rules")
		open, ok := compiled(t, nokia, asahi).CoA("open")
		if got := hex.EncodeToString(open.Wire); got != "5c0300" || !ok {
			t.Errorf("got %s, %v", got, ok)
		}
	})
	t.Run("more rules than Nokia takes", func(t *testing.T) {
		nokia, _ := ShippedProfile("nokia-sros-rules")
		many := []Host{{Name: "mail"}}
		for i := range 9 {
			many[0].Addresses = append(many[0].Addresses, netip.AddrFrom4([4]byte{192, 0, 2, byte(i)}))
		}
		p := compiled(t, nokia, []Action{{Name: "open"}, {Name: "block", Filter: "op25b", Allow: many}})
		expect(t, p.Warnings, "takes 11 rules, and the router takes 10")
	})
}

func TestCase53FilterIdIsARateToAccelPPP(t *testing.T) {
	accel, _ := ShippedProfile("accel-ppp")
	byName := ProfileSpec{Filtered: Sayings{"Filter-Id": {"{filter}"}}, CoA: CoASpec{Unfiltered: Sayings{"Filter-Id": {"none"}}}}
	actions := []Action{{Name: "open"}, {Name: "block", Filter: "op25b"}}
	_, errs := CompileProfile(Standard(), "vyos", byName.Derive(accel), actions)
	expect(t, errs, `action block: Filter-Id is the attribute that the router reads as a rate: "op25b" would be taken for one`)

	for _, declared := range []string{"none", "Cisco-AVPair"} {
		spec := byName
		spec.RateAttribute = declared // what its shaper was told to read
		compiled(t, spec.Derive(accel), actions)
	}
	_, errs = CompileProfile(Standard(), "vyos", ProfileSpec{RateAttribute: "Filter"}.Derive(accel), actions)
	expect(t, errs, `rate-attribute: the dictionary has no attribute "Filter"`)
}

func TestTagsOfTaggedAttributes(t *testing.T) {
	tests := []struct{ name, value, want string }{
		{"ERX-Service-Activate:1", "op25b", "1a0e0000130a410801" + text("op25b")},
		{"Tunnel-Type:2", "ESP", "400602000009"},
		{"Tunnel-Type", "ESP", "400600000009"},
		{"ERX-Service-Activate:32", "x", "expected a tag from 1 to 31"},
		{"ERX-Service-Activate:one", "x", `got "one"`},
		{"Filter-Id:1", "x", "Filter-Id takes no tag"},
		{"ERX-Service-Activate:1", strings.Repeat("x", 247), "a value has at most 247 octets"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			p, errs := CompileProfile(Standard(), "test", ProfileSpec{Filtered: Sayings{tt.name: {tt.value}}}, []Action{{Name: "open"}, {Name: "block", Filter: "f"}})
			if errs != nil {
				expect(t, errs, tt.want)
				return
			}
			if s, _ := p.Login("block"); hex.EncodeToString(s.Wire) != tt.want {
				t.Errorf("got %x", s.Wire)
			}
		})
	}
}

func TestAnOperatorsProfileIsLaidOverTheShippedOne(t *testing.T) {
	base, _ := ShippedProfile("l2tpns")
	own := ProfileSpec{OpenFilter: "pass", CoA: CoASpec{Port: 1700}, Names: NamesSpec{IPv6: "{filter}6"}}.Derive(base)
	if own.CoA.Port != 1700 || !own.CoA.Complete || own.CoA.Identify[0] != base.CoA.Identify[0] || own.Names.Longest != 31 ||
		own.Names.IPv6 != "{filter}6" || own.Filtered == nil || own.ACL != "l2tpns" || base.CoA.Port != 0 {
		t.Errorf("got %+v", own)
	}
}
