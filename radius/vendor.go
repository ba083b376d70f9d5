package radius

import (
	"iter"

	"sekisho/dict"
)

// vendorValues yields number and value of each of the vendor's own attributes
// inside the value of an attribute 26, framed the way this vendor does. A
// malformed tail ends the walk: it belongs to nobody and stays as it is.
func vendorValues(value []byte, format dict.VendorFormat) iter.Seq2[uint32, []byte] {
	return subValues(value, 4, format)
}

// tlvFormat is that of the values inside another attribute's.
var tlvFormat = dict.VendorFormat{Type: 1, Length: 1}

// subValues is vendorValues from any offset on.
func subValues(value []byte, at int, format dict.VendorFormat) iter.Seq2[uint32, []byte] {
	return func(yield func(uint32, []byte) bool) {
		for at := at; ; {
			number, length, ok := vendorHeader(value, at, format)
			if !ok || !yield(number, value[at+format.Header():at+length]) {
				return
			}
			at += length
		}
	}
}

// vendorHeader reads the header of the sub-attribute at an offset. A format
// without a length octet gives the rest to one attribute.
func vendorHeader(value []byte, at int, format dict.VendorFormat) (number uint32, length int, ok bool) {
	header := format.Header()
	if at+header > len(value) || at == len(value) {
		return 0, 0, false
	}
	for _, b := range value[at : at+int(format.Type)] {
		number = number<<8 | uint32(b)
	}
	if format.Length == 0 {
		return number, len(value) - at, true
	}
	for _, b := range value[at+int(format.Type) : at+int(format.Type+format.Length)] {
		length = length<<8 | int(b)
	}
	return number, length, length >= header && at+length <= len(value)
}

// wellFormed reports whether the vendor's own attributes fill the value of an
// attribute 26 exactly.
func wellFormed(value []byte, format dict.VendorFormat) bool { return filled(value, 4, format) }

// filled is wellFormed from any offset on.
func filled(value []byte, at int, format dict.VendorFormat) bool {
	for at < len(value) {
		_, length, ok := vendorHeader(value, at, format)
		if !ok {
			return false
		}
		at += length
	}
	return at == len(value)
}
