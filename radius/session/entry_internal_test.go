package session

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

// FuzzUnpack holds that no packed text, however damaged, is more than fewer
// attributes, and that what is read is written back the same.
func FuzzUnpack(f *testing.F) {
	a := Attribute{Value: "1A\xff"}
	a.Vendor, a.Number = 6527, 11
	f.Add(pack(nil, []Attribute{a, {Value: ""}}))
	f.Add("\x00\x2c\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01x")
	f.Fuzz(func(t *testing.T, packed string) {
		all := unpack(packed)
		if diff := cmp.Diff(all, unpack(pack(nil, all))); diff != "" {
			t.Error(diff)
		}
	})
}
