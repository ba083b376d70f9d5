package radius_test

import (
	"bytes"
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
