package dict

import (
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"iter"
	"net/netip"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"layeh.com/radius/dictionary"
)

// maxValue is the most that fits into one attribute beside its type and length
// (RFC 2865 section 5).
const maxValue = 253

// Encode returns the value octets that text stands for, in the way the
// attribute's type demands: text for strings, dotted quads, decimal numbers or
// named values, and 0x… for octets.
func (a *Attribute) Encode(text string) ([]byte, error) {
	switch a.Kind {
	case dictionary.AttributeInteger, dictionary.AttributeDate, dictionary.AttributeSigned:
		return a.encodeInteger(text)
	case dictionary.AttributeIPAddr, dictionary.AttributeIPv6Addr:
		return a.encodeAddr(text)
	case dictionary.AttributeString:
		return a.bounded([]byte(text))
	case dictionary.AttributeOctets:
		return a.encodeOctets(text)
	}
	return nil, fmt.Errorf("%s is of type %s, which cannot be written in a profile", a.Name, a.Kind)
}

func (a *Attribute) encodeInteger(text string) ([]byte, error) {
	for number, name := range a.names {
		if strings.EqualFold(name, text) {
			return binary.BigEndian.AppendUint32(nil, number), nil
		}
	}
	n, err := strconv.ParseUint(text, 10, 32)
	if err != nil {
		return nil, fmt.Errorf("%s: expected a number or the name of a value, got %q", a.Name, text)
	}
	return binary.BigEndian.AppendUint32(nil, uint32(n)), nil
}

func (a *Attribute) encodeAddr(text string) ([]byte, error) {
	addr, err := netip.ParseAddr(text)
	if err != nil || addr.Is4() != (a.Kind == dictionary.AttributeIPAddr) {
		return nil, fmt.Errorf("%s: expected an %s, got %q", a.Name, a.Kind, text)
	}
	return addr.AsSlice(), nil
}

func (a *Attribute) encodeOctets(text string) ([]byte, error) {
	digits, isHex := strings.CutPrefix(text, "0x")
	if !isHex {
		return a.bounded([]byte(text))
	}
	value, err := hex.DecodeString(digits)
	if err != nil {
		return nil, fmt.Errorf("%s: expected octets such as 0x01ff, got %q", a.Name, text)
	}
	return a.bounded(value)
}

// bounded refuses values that the attribute cannot hold. An empty value is
// refused too: RFC 2865 section 5 forbids to originate one.
func (a *Attribute) bounded(value []byte) ([]byte, error) {
	room := maxValue - a.overhead()
	switch {
	case len(value) == 0:
		return nil, fmt.Errorf("%s: a value must not be empty", a.Name)
	case len(value) > room && !a.Concat:
		return nil, fmt.Errorf("%s: a value has at most %d octets, %q has %d", a.Name, room, value, len(value))
	}
	return value, nil
}

// overhead is what the vendor's header takes of the room inside attribute 26.
func (a *Attribute) overhead() int {
	if a.Vendor == 0 {
		return 0
	}
	return 4 + a.vendor.Header()
}

// Wire returns the whole attribute with this value as it stands in a packet: a
// vendor's inside attribute 26, a long value of a concatenated attribute in as
// many pieces as it takes (RFC 4849 section 2).
func (a *Attribute) Wire(value []byte) []byte {
	var wire []byte
	for piece := range a.pieces(value) {
		wire = a.appendPiece(wire, piece)
	}
	return wire
}

// pieces yields what of a value goes into one attribute each.
func (a *Attribute) pieces(value []byte) iter.Seq[[]byte] {
	return func(yield func([]byte) bool) {
		for first := true; first || len(value) > 0; first = false {
			piece := value[:min(len(value), maxValue-a.overhead())]
			value = value[len(piece):]
			if !yield(piece) {
				return
			}
		}
	}
}

func (a *Attribute) appendPiece(wire, piece []byte) []byte {
	if a.Vendor == 0 {
		wire = append(wire, byte(a.Number), byte(2+len(piece)))
		return append(wire, piece...)
	}
	wire = append(wire, 26, byte(2+a.overhead()+len(piece)))
	wire = binary.BigEndian.AppendUint32(wire, a.Vendor)
	wire = appendUint(wire, a.Number, a.vendor.Type)
	wire = appendUint(wire, uint32(a.vendor.Header()+len(piece)), a.vendor.Length)
	if a.vendor.Continued {
		wire = append(wire, 0)
	}
	return append(wire, piece...)
}

func appendUint(b []byte, n uint32, octets uint8) []byte {
	for shift := 8 * (int(octets) - 1); shift >= 0; shift -= 8 {
		b = append(b, byte(n>>shift))
	}
	return b
}

// Format writes a value as text, the way radclient reads it back: strings in
// quotes with unprintable octets escaped, octets as 0x….
func (a *Attribute) Format(value []byte) string {
	tag := ""
	if a.Tagged && len(value) > 0 && value[0] < 0x20 && a.Kind == dictionary.AttributeString {
		tag, value = fmt.Sprintf("%d:", value[0]), value[1:]
	}
	switch {
	case a.Kind == dictionary.AttributeInteger && len(value) == 4:
		return a.formatInteger(value)
	case a.Kind == dictionary.AttributeDate && len(value) == 4:
		return time.Unix(int64(binary.BigEndian.Uint32(value)), 0).UTC().Format(time.RFC3339)
	case a.Kind == dictionary.AttributeIPAddr && len(value) == 4, a.Kind == dictionary.AttributeIPv6Addr && len(value) == 16:
		addr, _ := netip.AddrFromSlice(value)
		return addr.String()
	case a.Kind == dictionary.AttributeString:
		return tag + Quote(value)
	}
	return "0x" + hex.EncodeToString(value)
}

func (a *Attribute) formatInteger(value []byte) string {
	if a.Tagged { // RFC 2868 section 3.1: the tag takes the first of the four octets
		if value[0] != 0 {
			return fmt.Sprintf("%d:%s", value[0], a.ValueName(binary.BigEndian.Uint32(value)&0xffffff))
		}
	}
	return a.ValueName(binary.BigEndian.Uint32(value))
}

// ValueName returns the dictionary's name for a number, or the number itself
// in decimal.
func (a *Attribute) ValueName(number uint32) string {
	if name, ok := a.names[number]; ok {
		return name
	}
	return strconv.FormatUint(uint64(number), 10)
}

// Quote writes octets of unknown origin so that they can stand in a log line
// or on a terminal: UTF-8 text as it is, everything else escaped.
func Quote(value []byte) string {
	if !utf8.Valid(value) {
		var b strings.Builder
		b.WriteByte('"')
		for _, c := range value {
			if c >= 0x20 && c < 0x7f && c != '"' && c != '\\' {
				b.WriteByte(c)
				continue
			}
			fmt.Fprintf(&b, `\x%02x`, c)
		}
		b.WriteByte('"')
		return b.String()
	}
	return strconv.Quote(string(value))
}
