package coa

import (
	"encoding/binary"
	"errors"
	"fmt"
	"time"
)

// Kind is what a router is asked to do.
type Kind uint8

// Change is a CoA-Request, Disconnect a Disconnect-Request.
const (
	Change Kind = iota
	Disconnect
)

// String is the name of the packet.
func (k Kind) String() string {
	if k == Disconnect {
		return "Disconnect-Request"
	}
	return "CoA-Request"
}

func (k Kind) code() byte {
	if k == Disconnect {
		return disconnectRequest
	}
	return coaRequest
}

// Request is what a router is told about one session. The two lists are whole
// attributes as they stand in a packet.
type Request struct {
	Kind           Kind
	Identification []byte        // which session
	Attributes     []byte        // what it is to have; RFC 5176 section 3.6: none in a Disconnect-Request
	Patience       time.Duration // for how long it is repeated and an answer waited for; 0: 30 seconds

	relayed bool // its attributes are somebody else's; nothing is added, and nothing is retransmitted by us
}

// ErrTooBig says that a request does not fit into a packet.
var ErrTooBig = errors.New("the request would outgrow 4096 octets")

// compose writes a request for a NAS, all but identifier and authenticators:
// Message-Authenticator, which session, when, what.
func (r *Request) compose(to *NAS, now time.Time) ([]byte, error) {
	if r.Kind == Disconnect && len(r.Attributes) > 0 && !r.relayed {
		return nil, fmt.Errorf("a Disconnect-Request to %s must only say which session (RFC 5176 section 3.6)", to.Name)
	}
	wire := make([]byte, headerLen, headerLen+attrMALen+len(r.Identification)+6+len(r.Attributes))
	wire[0] = r.Kind.code()
	if to.MessageAuthenticator {
		wire = append(wire, typeMessageAuthenticator, attrMALen)
		wire = append(wire, make([]byte, attrMALen-2)...)
	}
	wire = append(wire, r.Identification...)
	if to.EventTimestamp && !r.relayed {
		wire = append(wire, typeEventTimestamp, 6)
		wire = binary.BigEndian.AppendUint32(wire, uint32(now.Unix()))
	}
	wire = append(wire, r.Attributes...)
	if len(wire) > maxPacketLen {
		return nil, ErrTooBig
	}
	binary.BigEndian.PutUint16(wire[2:], uint16(len(wire)))
	return wire, nil
}
