package radius_test

import (
	"bytes"
	"fmt"
	"testing"

	"sekisho/dict"
	"sekisho/radius/radiustest"
)

// TestCase11EverySaltedAttributeOfTheDictionary sends each attribute that the
// dictionary knows as salted, in its vendor's own framing, and reveals it at
// the router.
func TestCase11EverySaltedAttributeOfTheDictionary(t *testing.T) {
	t.Parallel()
	salts := 0
	for _, a := range dict.Standard().Hidden() {
		if a.Cipher != dict.Salted {
			continue
		}
		salts++
		t.Run(a.Name, func(t *testing.T) {
			t.Parallel()
			key, tag := "key of "+a.Name, ""
			if a.Tagged {
				tag = "\x03"
			}
			s := start(t, answering(func(r *radiustest.Request) [][]byte {
				wire := a.Wire([]byte(tag + string(salted(r, key, "\x80\x01"))))
				return [][]byte{r.Reply(radiustest.AccessAccept, radiustest.Attribute{Type: wire[0], Value: wire[2:]})}
			}))
			request := access(t, 1, user)
			answer, err := s.nas.Verify(request, s.exchange(s.nas, request))
			must(t, err)
			wire := a.Wire([]byte(tag))
			got := answer.Values(wire[0])
			if len(got) != 1 {
				t.Fatalf("%d attributes", len(got))
			}
			hidden := got[0][len(wire)-2:]
			if plain := revealed(t, hidden); plain != key {
				t.Errorf("the router reads %q, want %q", plain, key)
			}
		})
	}
	if salts < 30 {
		t.Errorf("the dictionary has only %d salted attributes", salts)
	}
}

// TestWiMAXAttributesHaveAContinuationOctet holds their framing by its octets.
func TestWiMAXAttributesHaveAContinuationOctet(t *testing.T) {
	t.Parallel()
	a, ok := dict.Standard().Lookup("WiMAX-MSK")
	if !ok {
		t.Fatal("not in the dictionary")
	}
	want := octets(t, "1a 0b 000060b5 05 05 00 'xy'")
	if got := a.Wire([]byte("xy")); !bytes.Equal(got, want) {
		t.Errorf("got %x, want %x", got, want)
	}
}

func TestCase45HiddenSubAttribute(t *testing.T) {
	t.Parallel()
	const stale = " 0a 07 'stale' "
	tests := []struct {
		name  string
		aaa   func(hidden string) string // inside the vendor's attribute
		want  string                     // the same with the key under *
		whole bool                       // the key reaches the router
	}{
		{"beside ours", func(h string) string { return stale + h }, "3a 14 *18", true},
		{"between ours", func(h string) string { return stale + h + stale }, "3a 14 *18", true},
		{"twice", func(h string) string { return h + stale + h }, "3a 14 *18 3a 14 *18", true},
		{"before a malformed tail", func(h string) string { return h + stale + "01 00" }, "3a 14 *18" + stale + "01 00", false},
		{"overrun", func(h string) string { return stale + "3a 15" + h[6:] }, stale + "3a 15 *18", false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s := start(t, answering(func(r *radiustest.Request) [][]byte {
				hidden := fmt.Sprintf(" 3a 14 %x ", salted(r, "key", "\x80\x01"))
				value := append(octets(t, "0000130a"), octets(t, tt.aaa(hidden))...)
				return [][]byte{r.Reply(radiustest.AccessAccept, radiustest.Attribute{Type: 26, Value: value})}
			}), func(s *setup) {
				s.profile = &dict.ProfileSpec{Filtered: dict.Sayings{"ERX-Ingress-Policy-Name": {"{filter}"}}}
			})
			got := attributesOf(s.exchange(s.nas, access(t, 1, user)))
			match(t, "answer", got, fmt.Sprintf("50 12 *16 1a %02x 0000130a", got[19])+tt.want+" 1a 0d 0000130a 0a 07 'op25b'")
			if tt.whole {
				if plain := revealed(t, got[18+6+2:][:18]); plain != "key" {
					t.Errorf("the router reads %q", plain)
				}
			}
		})
	}
}

func TestCase11KeysInsideTLVsOfWiMAX(t *testing.T) {
	t.Parallel()
	tests := []struct{ name, before, after, want string }{
		{"between others", "01 06 c0000201", "04 06 00000007", "1a 29 000060b5 56 23 00 01 06 c0000201 03 14 *18 04 06 00000007"},
		{"alone", "", "", "1a 1d 000060b5 56 17 00 03 14 *18"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s := start(t, answering(func(r *radiustest.Request) [][]byte {
				tlvs := fmt.Sprintf("%s 03 14 %x %s", tt.before, salted(r, "key", "\x80\x01"), tt.after)
				value := octets(t, tlvs)
				header := fmt.Sprintf("000060b5 56 %02x 00 ", 3+len(value))
				return [][]byte{r.Reply(radiustest.AccessAccept, radiustest.Attribute{Type: 26, Value: octets(t, header+tlvs)})}
			}))
			got := attributesOf(s.exchange(s.nas, access(t, 1, user)))
			match(t, "answer", got, "50 12 *16 "+tt.want+" 0b 07 'op25b'")
			at := 18 + 2 + 4 + 3 + len(octets(t, tt.before)) + 2
			if plain := revealed(t, got[at:at+18]); plain != "key" {
				t.Errorf("the router reads %q", plain)
			}
		})
	}
}

func TestCase11MalformedTLVsOfWiMAXPassAsTheyAre(t *testing.T) {
	t.Parallel()
	for _, tlvs := range []string{"03 14 'short'", "03 01", "03", "03 04 'xy' 04"} {
		t.Run(tlvs, func(t *testing.T) {
			t.Parallel()
			value := append(octets(t, fmt.Sprintf("000060b5 57 %02x 00", 3+len(octets(t, tlvs)))), octets(t, tlvs)...)
			s := start(t, answering(accept(radiustest.Attribute{Type: 26, Value: value})))
			got := attributesOf(s.exchange(s.nas, access(t, 1, user)))
			match(t, "answer", got, "50 12 *16 "+attribute(26, value)+" 0b 07 'op25b'")
		})
	}
}
