// Package dict holds the words of RADIUS: attribute names and numbers, which
// attributes are hidden by which cipher, how a value is written as text, and
// the vendor profiles that say a policy's action in the attributes that one
// kind of router understands.
//
// It does not read packets (package radius does) and knows nothing of policies
// beyond the name and the filter of an action.
package dict

import (
	"bytes"
	"embed"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"sync"

	"layeh.com/radius/dictionary"
)

// Cipher is the way the value of an attribute is hidden on the wire.
type Cipher uint8

// The ciphers of RADIUS, numbered like the encrypt= flag of FreeRADIUS-format
// dictionaries.
const (
	Clear        Cipher = iota
	UserPassword        // RFC 2865 section 5.2: no salt, multiples of 16 octets
	Salted              // RFC 2868 section 3.5: a salt of 2 octets, then the length and the value
	Ascend              // 16 octets XOR MD5(authenticator, secret)
)

// VendorFormat is how many octets the type and the length of a vendor's own
// attributes take inside attribute 26. RFC 2865 section 5.26 recommends 1 and 1.
// Some vendors put an octet behind these whose highest bit says that the value
// goes on in the next attribute.
type VendorFormat struct {
	Type, Length uint8
	Continued    bool
}

// Header is how many octets stand before the value of a vendor's attribute.
func (f VendorFormat) Header() int {
	if f.Continued {
		return int(f.Type) + int(f.Length) + 1
	}
	return int(f.Type) + int(f.Length)
}

// continued are the vendors with such an octet. The dictionary format of the
// library cannot say so.
var continued = map[uint32]bool{
	24757: true, // WiMAX Forum
	5323:  true, // Telrad
}

// Key identifies an attribute by its number; Vendor is 0 for attributes that
// are no vendor's.
type Key struct {
	Vendor uint32
	Number uint32
}

// Attribute is one entry of a dictionary.
type Attribute struct {
	Key
	Name   string
	Kind   dictionary.AttributeType
	Tagged bool   // the value begins with a tag octet (RFC 2868 section 3.1)
	Concat bool   // a value longer than 253 octets goes on in further attributes
	Cipher Cipher // how the value is hidden, Clear for most

	vendor VendorFormat
	names  map[uint32]string // number -> name of a named value
}

// Dictionary maps attribute names and numbers to each other. It never changes
// once made and may be used concurrently.
type Dictionary struct {
	byName  map[string]*Attribute
	byKey   map[Key]*Attribute
	vendors map[uint32]VendorFormat
	tlvs    map[Key]map[byte]TLV // by the attribute that holds them
}

//go:embed dictionary
var shipped embed.FS

// Standard returns the dictionary that ships with sekisho: the attributes of
// the RFCs and those of vendors which a shipped profile sends or which a proxy
// has to re-hide.
var Standard = sync.OnceValue(func() *Dictionary {
	d := &Dictionary{
		byName:  map[string]*Attribute{},
		byKey:   map[Key]*Attribute{},
		vendors: map[uint32]VendorFormat{},
		tlvs:    map[Key]map[byte]TLV{},
	}
	for _, name := range []string{"dictionary/rfc", "dictionary/vendors"} {
		src, err := shipped.ReadFile(name)
		if err != nil {
			panic(err) // embedded: cannot be missing
		}
		if d, err = d.With(name, src); err != nil {
			panic(err) // held by the tests
		}
	}
	return d
})

// With returns a dictionary that also knows the entries of src, a dictionary
// in FreeRADIUS 3 format; file names it in errors. An attribute of src that is
// already known replaces the older entry.
func (d *Dictionary) With(file string, src []byte) (*Dictionary, error) {
	parser := dictionary.Parser{Opener: &dictionary.FileSystemOpener{Root: filepath.Dir(file)}}
	parsed, err := parser.Parse(source{Reader: bytes.NewReader(src), name: file})
	if err != nil {
		return nil, fmt.Errorf("dictionary %s: %w", file, err)
	}
	grown := &Dictionary{
		byName:  maps.Clone(d.byName),
		byKey:   maps.Clone(d.byKey),
		vendors: maps.Clone(d.vendors),
		tlvs:    maps.Clone(d.tlvs),
	}
	grown.add(0, VendorFormat{}, parsed.Attributes, parsed.Values)
	for _, v := range parsed.Vendors {
		format := VendorFormat{uint8(v.GetTypeOctets()), uint8(v.GetLengthOctets()), continued[uint32(v.Number)]}
		grown.vendors[uint32(v.Number)] = format
		grown.add(uint32(v.Number), format, v.Attributes, v.Values)
	}
	return grown, nil
}

// WithFile is With for a file of the operator's.
func (d *Dictionary) WithFile(path string) (*Dictionary, error) {
	src, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("dictionary: %w", err)
	}
	return d.With(path, src)
}

func (d *Dictionary) add(vendor uint32, format VendorFormat, attributes []*dictionary.Attribute, values []*dictionary.Value) {
	for _, a := range attributes {
		if len(a.OID) != 1 {
			d.addTLV(vendor, a)
			continue
		}
		entry := &Attribute{
			Key:    Key{vendor, uint32(a.OID[0])},
			Name:   a.Name,
			Kind:   a.Type,
			Tagged: a.HasTag(),
			Concat: a.FlagConcat.Bool,
			vendor: format,
			names:  valueNames(a.Name, values),
		}
		if a.FlagEncrypt.Valid {
			entry.Cipher = Cipher(a.FlagEncrypt.Int)
		}
		d.byName[strings.ToLower(a.Name)] = entry
		d.byKey[entry.Key] = entry
	}
}

func valueNames(attribute string, values []*dictionary.Value) map[uint32]string {
	var names map[uint32]string
	for _, v := range dictionary.ValuesByAttribute(values, attribute) {
		if names == nil {
			names = map[uint32]string{}
		}
		names[uint32(v.Number)] = v.Name
	}
	return names
}

// Lookup finds an attribute by its name, in any case.
func (d *Dictionary) Lookup(name string) (*Attribute, bool) {
	a, ok := d.byName[strings.ToLower(name)]
	return a, ok
}

// ByKey finds an attribute by its number.
func (d *Dictionary) ByKey(k Key) (*Attribute, bool) {
	a, ok := d.byKey[k]
	return a, ok
}

// Hidden returns the attributes whose values are hidden, with their ciphers.
func (d *Dictionary) Hidden() []*Attribute {
	var hidden []*Attribute
	for _, a := range d.byKey {
		if a.Cipher != Clear {
			hidden = append(hidden, a)
		}
	}
	return hidden
}

// VendorFormat returns how a vendor's attributes are framed; vendors not in
// the dictionary frame theirs as RFC 2865 recommends.
func (d *Dictionary) VendorFormat(vendor uint32) VendorFormat {
	if f, ok := d.vendors[vendor]; ok {
		return f
	}
	return VendorFormat{Type: 1, Length: 1, Continued: continued[vendor]}
}

// source is an in-memory dictionary file, as layeh's parser wants it.
type source struct {
	io.Reader
	name string
}

func (s source) Name() string { return s.name }
func (s source) Close() error { return nil }
