package dict

import (
	"encoding/hex"
	"strings"
	"testing"
)

var asahi = []Action{{Name: "open"}, {Name: "limit", Filter: "op25b-limit"}, {Name: "block", Filter: "op25b"}, {Name: "block-all", Filter: "op25b-all"}}

func TestEveryShippedProfileSaysEveryAction(t *testing.T) {
	rules := text("deny in 6 from any to any 25") + "00" + text("permit in ip from any to any")
	want := map[string]string{ // the octets for `block`
		"accel-ppp":        "1a16" + "00000009" + "0110" + text("ip:inacl=op25b"),
		"address-pool":     "5807" + text("op25b"),
		"cisco-ios":        "1a1b" + "00000009" + "0115" + text("ipv6:inacl=op25b-v6") + "0b0a" + text("op25b.in"),
		"cisco-xr":         "1a1e" + "00000009" + "0118" + text("subscriber:inacl=op25b") + "1a26" + "00000009" + "0120" + text("subscriber:ipv6_inacl=op25b-v6"),
		"ericsson":         "0b0a" + text("in:op25b"),
		"filter-id":        "0b07" + text("op25b"),
		"hostapd":          "0b07" + text("op25b"),
		"huawei":           "0b07" + text("op25b"),
		"juniper-erx":      "1a10" + "0000130a" + "6a0a" + text("op25b-v6") + "1a0d" + "0000130a" + "0a07" + text("op25b"),
		"juniper-mx":       "1a10" + "0000130a" + "6a0a" + text("op25b-v6") + "1a0d" + "0000130a" + "0a07" + text("op25b"),
		"l2tpns":           "0b0a" + text("op25b.in"),
		"mikrotik":         "1a0d" + "00003a8c" + "1307" + text("op25b"),
		"nas-filter-rule":  "5c3b" + rules,
		"nokia-sros":       "1a21" + "0000197f" + "861b" + text("Ingr-v4:2502,Ingr-v6:2502"),
		"nokia-sros-rules": "5c3b" + rules,
		"strongswan":       "0b07" + text("op25b"),
	}
	for _, name := range ShippedProfiles() {
		t.Run(name, func(t *testing.T) {
			spec, _ := ShippedProfile(name)
			p, errs := CompileProfile(Standard(), name, spec, asahi)
			if errs != nil {
				t.Fatal(errs)
			}
			block, ok := p.Login("block")
			if got := hex.EncodeToString(block.Wire); !ok || got != want[name] {
				t.Errorf("block\n got %s\nwant %s", got, want[name])
			}
			open, ok := p.Login("open")
			if !ok || len(open.Wire) != 0 {
				t.Errorf("open: got %x, want nothing", open.Wire)
			}
		})
	}
}

func text(s string) string { return hex.EncodeToString([]byte(s)) }

func TestProfilesThatCannotSayAPolicyAreRefused(t *testing.T) {
	long := strings.Repeat("x", 254)
	tests := []struct {
		name    string
		spec    ProfileSpec
		actions []Action
		want    string
	}{
		{"nothing for a filter", ProfileSpec{}, asahi, `action limit: has the filter "op25b-limit" and the profile says nothing for it`},
		{"a tighter action that no router is told", ProfileSpec{Filtered: Sayings{"Filter-Id": {"{filter}"}}}, []Action{{Name: "open"}, {Name: "block"}}, "action block: is tighter than open, and the profile says nothing for it"},
		{"a pool for a profile of filters", ProfileSpec{Filtered: Sayings{"Filter-Id": {"{filter}"}}}, []Action{{Name: "open"}, {Name: "block", Pool: "p"}}, `action block: has no filter for "{filter}"`},
		{"a filter for a profile of pools", ProfileSpec{Filtered: Sayings{"Framed-Pool": {"{pool}"}}}, []Action{{Name: "open"}, {Name: "block", Filter: "f"}}, `action block: has no pool for "{pool}"`},
		{"a pair without a key", ProfileSpec{Filtered: Sayings{"Cisco-AVPair": {"{filter}"}}}, asahi, `action limit: Cisco-AVPair: expected KEY=VALUE, got "op25b-limit"`},
		{"unknown attribute", ProfileSpec{Filtered: Sayings{"Filter-Ide": {"x"}}}, asahi, `action limit: the dictionary has no attribute "Filter-Ide"`},
		{"filter name of 254 octets", ProfileSpec{Filtered: Sayings{"Filter-Id": {"{filter}"}}}, []Action{{Name: "open"}, {Name: "block", Filter: long}}, "action block: Filter-Id: a value has at most 253 octets"},
		{"no filter to name", ProfileSpec{Unfiltered: Sayings{"Filter-Id": {"{filter}"}}, Filtered: Sayings{"Filter-Id": {"x"}}}, asahi, `action open: has no filter for "{filter}"`},
		{"the protocol's own attribute", ProfileSpec{Filtered: Sayings{"Proxy-State": {"x"}}}, asahi, "Proxy-State belongs to the protocol"},
		{"a hidden attribute", ProfileSpec{Filtered: Sayings{"MS-MPPE-Send-Key": {"x"}}}, asahi, "MS-MPPE-Send-Key belongs to the protocol"},
		{"unknown action", ProfileSpec{Filtered: Sayings{"Filter-Id": {"x"}}, Actions: map[string]Sayings{"blok": {}}}, asahi, `the policy has no action "blok"`},
		{"unknown fail mode", ProfileSpec{Filtered: Sayings{"Filter-Id": {"x"}}, Fail: "closed"}, asahi, `fail: expected drop or an action of the policy, got "closed"`},
		{"no loosest action to fail to", ProfileSpec{Filtered: Sayings{"Filter-Id": {"x"}}}, []Action{{Name: "block", Filter: "f"}}, `fail: the policy has no action "open"`},
		{"unknown conflict mode", ProfileSpec{Filtered: Sayings{"Filter-Id": {"x"}}, Conflict: "merge"}, asahi, `conflict: expected replace, replace-ours, append or keep, got "merge"`},
		{"not a number", ProfileSpec{Filtered: Sayings{"Session-Timeout": {"soon"}}}, asahi, `Session-Timeout: expected a number or the name of a value, got "soon"`},
		{"not an address", ProfileSpec{Filtered: Sayings{"Framed-IP-Address": {"2001:db8::1"}}}, asahi, `Framed-IP-Address: expected an ipaddr, got "2001:db8::1"`},
		{"empty value", ProfileSpec{Filtered: Sayings{"Filter-Id": {""}}}, asahi, "Filter-Id: a value must not be empty"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, errs := CompileProfile(Standard(), "test", tt.spec, tt.actions)
			for _, err := range errs {
				if strings.Contains(err.Error(), tt.want) {
					return
				}
			}
			t.Errorf("got %v, want %q", errs, tt.want)
		})
	}
}

func TestFilterNameOf253OctetsFits(t *testing.T) {
	name := strings.Repeat("x", 253)
	p, errs := CompileProfile(Standard(), "test", ProfileSpec{Filtered: Sayings{"Filter-Id": {"{filter}"}}}, []Action{{Name: "open"}, {Name: "block", Filter: name}})
	if errs != nil {
		t.Fatal(errs)
	}
	if s, _ := p.Login("block"); len(s.Wire) != 255 || s.Wire[1] != 255 {
		t.Errorf("got %d octets, length octet %d", len(s.Wire), s.Wire[1])
	}
}

func TestOwnsTellsOurValuesFromOthers(t *testing.T) {
	p, errs := CompileProfile(Standard(), "test", ProfileSpec{
		Filtered: Sayings{"Cisco-AVPair": {"ip:inacl#10={filter}"}, "Filter-Id": {"{filter}.in"}},
	}, asahi)
	if errs != nil {
		t.Fatal(errs)
	}
	filterID, pair := Key{0, 11}, Key{9, 1}
	tests := []struct {
		name          string
		key           Key
		value         string
		managed, ours bool
	}{
		{"what an action sends", filterID, "op25b.in", true, true},
		{"a stale name", filterID, "old.in", true, false},
		{"our name as a prefix is not ours", filterID, "op25b.in2", true, false},
		{"another attribute", Key{0, 18}, "op25b.in", false, false},
		{"another vendor's attribute of that number", Key{10, 1}, "ip:inacl#10=op25b", false, false},
		{"our pair", pair, "ip:inacl#10=op25b", true, true},
		{"a pair under our key", pair, "ip:inacl#20=permit ip any any", true, false},
		{"a pair under another key", pair, "ip:outacl#10=op25b", false, false},
		{"a pair whose key begins like ours", pair, "ip:inaclx=op25b", false, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			managed, ours := p.Owns(tt.key, []byte(tt.value))
			if managed != tt.managed || ours != tt.ours {
				t.Errorf("Owns(%v, %q) = %v, %v", tt.key, tt.value, managed, ours)
			}
		})
	}
}

func TestLongNASFilterRuleIsSplit(t *testing.T) { // RFC 4849 section 2
	rule, _ := Standard().Lookup("NAS-Filter-Rule")
	wire := rule.Wire([]byte(strings.Repeat("r", 600)))
	if len(wire) != 600+3*2 || wire[1] != 255 || wire[255+1] != 255 || wire[510+1] != 96 {
		t.Errorf("got %d octets with lengths %d, %d, %d", len(wire), wire[1], wire[256], wire[511])
	}
}

func TestFormatIsWhatRadclientReads(t *testing.T) {
	tests := []struct{ attribute, hex, want string }{
		{"User-Name", text("f.uf234at567c@atson.net"), `"f.uf234at567c@atson.net"`},
		{"User-Name", "8365" + "22", `"\x83e\x22"`},
		{"Filter-Id", "610062", `"a\x00b"`},
		{"NAS-Port-Type", "00000002", "ISDN"},
		{"NAS-Port-Type", "000000c8", "200"},
		{"NAS-Port-Type", "00", "0x00"},
		{"NAS-IP-Address", "c0000201", "192.0.2.1"},
		{"NAS-IPv6-Address", "20010db8000000000000000000000001", "2001:db8::1"},
		{"Event-Timestamp", "45e00000", "2007-02-24T09:06:08Z"},
		{"Tunnel-Type", "01000003", "1:L2TP"},
		{"Class", "00ff", "0x00ff"},
		{"Tunnel-Server-Endpoint", "02" + text("192.0.2.9"), `2:"192.0.2.9"`},
	}
	for _, tt := range tests {
		t.Run(tt.attribute+" "+tt.hex, func(t *testing.T) {
			a, ok := Standard().Lookup(tt.attribute)
			if !ok {
				t.Fatal("not in the dictionary")
			}
			value, err := hex.DecodeString(tt.hex)
			if err != nil {
				t.Fatal(err)
			}
			if got := a.Format(value); got != tt.want {
				t.Errorf("got %s, want %s", got, tt.want)
			}
		})
	}
}

func TestOperatorsDictionaryIsLaidOverOurs(t *testing.T) {
	const src = "VENDOR Example 64000\nBEGIN-VENDOR Example\nATTRIBUTE Example-Port25 7 integer\nVALUE Example-Port25 Closed 2\nEND-VENDOR Example\n"
	d, err := Standard().With("example.dict", []byte(src))
	if err != nil {
		t.Fatal(err)
	}
	a, ok := d.Lookup("example-port25")
	if !ok {
		t.Fatal("the new attribute is not there")
	}
	value, err := a.Encode("Closed")
	if err != nil {
		t.Fatal(err)
	}
	if got := hex.EncodeToString(a.Wire(value)); got != "1a0c0000fa00070600000002" {
		t.Errorf("got %s", got)
	}
	if _, leaked := Standard().Lookup("example-port25"); leaked {
		t.Error("the standard dictionary changed")
	}
	if _, err := Standard().With("broken.dict", []byte("ATTRIBUTE Lonely\n")); err == nil || !strings.Contains(err.Error(), "broken.dict") {
		t.Errorf("a broken file: got %v, want an error that names it", err)
	}
}

func TestLucentFramesItsAttributesInThreeOctets(t *testing.T) {
	a, _ := Standard().Lookup("Lucent-Send-Secret")
	if got := hex.EncodeToString(a.Wire([]byte{0xaa})); got != "1a0a000012ee00d604aa" {
		t.Errorf("got %s", got)
	}
}
