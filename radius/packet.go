package radius

import (
	"encoding/binary"
	"iter"
)

// Packet codes (RFC 2865, 2866, 5997, 7930).
const (
	accessRequest      = 1
	accessAccept       = 2
	accessReject       = 3
	accountingRequest  = 4
	accountingResponse = 5
	accessChallenge    = 11
	statusServer       = 12
	protocolError      = 52
)

// Attribute types that a proxy has to know.
const (
	typeUserName             = 1
	typeUserPassword         = 2
	typeCHAPPassword         = 3
	typeNASIPAddress         = 4
	typeServiceType          = 6
	typeState                = 24
	typeVendorSpecific       = 26
	typeNASIdentifier        = 32
	typeProxyState           = 33
	typeCHAPChallenge        = 60
	typeTunnelType           = 64
	typeTunnelServerEndpoint = 67
	typeARAPPassword         = 70
	typeEAPMessage           = 79
	typeMessageAuthenticator = 80
	typeNASIPv6Address       = 95
)

// Attribute types that tell of sessions.
const (
	typeNASPort             = 5
	typeFramedIPAddress     = 8
	typeClass               = 25
	typeCalledStationID     = 30
	typeCallingStationID    = 31
	typeAcctStatusType      = 40
	typeAcctDelayTime       = 41
	typeAcctSessionID       = 44
	typeAcctSessionTime     = 46
	typeAcctTerminateCause  = 49
	typeAcctMultiSessionID  = 50
	typeEventTimestamp      = 55
	typeAcctInterimInterval = 85
	typeNASPortID           = 87
	typeCUI                 = 89
	typeFramedInterfaceID   = 96
	typeFramedIPv6Prefix    = 97
	typeDelegatedIPv6Prefix = 123
	typeFramedIPv6Address   = 168
)

// authorizeOnly is the Service-Type of a request about a session that exists
// (RFC 5176 section 3.2).
const authorizeOnly = 17

// Sizes on the wire (RFC 2865 section 3). RFC 2866 section 3 says 4095 for
// accounting; 4096 is accepted there too.
const (
	headerLen        = 20
	maxPacketLen     = 4096
	authenticatorLen = 16
	attrMALen        = 18 // a whole Message-Authenticator attribute
)

// packet is one RADIUS packet, framing checked: exactly Length octets, whole
// attributes, at most one Message-Authenticator and that of the right size.
type packet []byte

// parse checks the framing of a datagram and returns the packet in it, without
// the padding that RFC 2865 section 3 tells to ignore. The packet shares the
// datagram's memory. What is merely an invalid value (RFC 6929 section 2.8)
// passes.
func parse(datagram []byte) (packet, reason) {
	if len(datagram) < headerLen {
		return nil, dropShort
	}
	length := int(binary.BigEndian.Uint16(datagram[2:]))
	if length < headerLen || length > maxPacketLen || length > len(datagram) {
		return nil, dropLength
	}
	p := packet(datagram[:length:length])
	authenticators := 0
	for at := headerLen; at < length; {
		if at+2 > length || p[at] == 0 || p[at+1] < 2 || at+int(p[at+1]) > length {
			return nil, dropMalformed
		}
		if p[at] == typeMessageAuthenticator {
			authenticators++
			if p[at+1] != attrMALen || authenticators > 1 {
				return nil, dropMalformed
			}
		}
		at += int(p[at+1])
	}
	return p, forwarded
}

func (p packet) code() byte            { return p[0] }
func (p packet) id() byte              { return p[1] }
func (p packet) authenticator() []byte { return p[4:headerLen] }

// attributes yields each attribute's offset and the whole of it: type, length,
// value.
func (p packet) attributes() iter.Seq2[int, []byte] {
	return func(yield func(int, []byte) bool) {
		for at := headerLen; at < len(p); at += int(p[at+1]) {
			if !yield(at, p[at:at+int(p[at+1])]) {
				return
			}
		}
	}
}

// find returns the value of the first attribute of that type; nil when there
// is none. A present but empty value is not nil.
func (p packet) find(typ byte) []byte {
	if at := p.offset(typ); at > 0 {
		return p[at+2 : at+int(p[at+1])]
	}
	return nil
}

// offset returns where the first attribute of that type begins, 0 if nowhere.
func (p packet) offset(typ byte) int {
	for at := headerLen; at < len(p); at += int(p[at+1]) {
		if p[at] == typ {
			return at
		}
	}
	return 0
}

func (p packet) has(typ byte) bool { return p.offset(typ) > 0 }

// vendor returns the enterprise number that begins the value of an attribute
// 26, 0 when there is none.
func vendor(value []byte) uint32 {
	if len(value) < 4 {
		return 0
	}
	return binary.BigEndian.Uint32(value)
}
