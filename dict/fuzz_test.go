package dict

import (
	"strings"
	"testing"
)

// FuzzWith holds that no dictionary file of an operator's breaks the reading,
// and that what is taken can be used.
func FuzzWith(f *testing.F) {
	for _, name := range []string{"dictionary/rfc", "dictionary/vendors"} {
		src, err := shipped.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(src)
	}
	f.Add([]byte("VENDOR V 1 format=4,0\nBEGIN-VENDOR V\nATTRIBUTE A 1 octets[4]\nATTRIBUTE B 2.3 tlv\nEND-VENDOR V\n"))
	f.Add([]byte("ATTRIBUTE A 257 string encrypt=2,has_tag\nVALUE A x 4294967296\n"))
	f.Fuzz(func(t *testing.T, src []byte) {
		if strings.Contains(string(src), "$INCLUDE") {
			return // other files of this machine are not to be read
		}
		d, err := Standard().With("fuzz.dict", src)
		if err != nil {
			if !strings.Contains(err.Error(), "fuzz.dict") {
				t.Fatalf("the error does not name the file: %v", err)
			}
			return
		}
		for _, a := range d.byKey {
			if value, err := a.Encode("1"); err == nil {
				a.Format(value)
				if wire := a.Wire(value); len(wire) < 3 || int(wire[1]) != len(wire) {
					t.Fatalf("%s: %x is not one attribute", a.Name, wire)
				}
			}
		}
	})
}
