package dict

import (
	"maps"

	"layeh.com/radius/dictionary"
)

// TLV is a hidden value inside an attribute that holds several, each with an
// octet of type and one of length before it, as those of WiMAX are.
type TLV struct {
	Inside Key // the attribute that holds it
	Number byte
	Cipher Cipher
	Tagged bool
}

// addTLV notes a value inside another attribute. Only hidden ones matter: the
// others pass with the attribute that holds them.
func (d *Dictionary) addTLV(vendor uint32, a *dictionary.Attribute) {
	if len(a.OID) != 2 || a.OID[1] > 255 || !a.FlagEncrypt.Valid {
		return
	}
	inside := Key{vendor, uint32(a.OID[0])}
	held := maps.Clone(d.tlvs[inside]) // that of the dictionary this one grew from stays as it is
	if held == nil {
		held = map[byte]TLV{}
	}
	number := byte(a.OID[1])
	held[number] = TLV{inside, number, Cipher(a.FlagEncrypt.Int), a.HasTag()}
	d.tlvs[inside] = held
}

// HiddenTLVs returns the hidden values inside other attributes.
func (d *Dictionary) HiddenTLVs() []TLV {
	var hidden []TLV
	for _, held := range d.tlvs {
		for _, tlv := range held {
			hidden = append(hidden, tlv)
		}
	}
	return hidden
}

// HoldsHidden reports whether there are hidden values inside an attribute.
func (d *Dictionary) HoldsHidden(k Key) bool { return len(d.tlvs[k]) > 0 }
