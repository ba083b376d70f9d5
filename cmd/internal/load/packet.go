package load

import (
	"bytes"
	"crypto/md5"
	crand "crypto/rand"
	"encoding/binary"
	"fmt"

	"sekisho/radius/radiustest"
)

// Codes of packets (RFC 2865 section 3, RFC 2866 section 3).
const (
	accessRequest      = radiustest.AccessRequest
	accessAccept       = radiustest.AccessAccept
	accessReject       = radiustest.AccessReject
	accountingRequest  = radiustest.AccountingRequest
	accountingResponse = radiustest.AccountingResponse
)

// Attribute types that only subscribers' packets have.
const (
	class            = 25
	nasPort          = 5
	serviceType      = 6
	framedProtocol   = 7
	framedIPAddress  = 8
	callingStationID = 31
	acctInputOctets  = 42
	nasPortType      = 61
	nasPortID        = 87
)

const headerLen = 20

var noAuthenticator [16]byte

// compose makes a request as an access router sends it.
func (l *line) compose(id byte, e errand) []byte {
	p := &radiustest.Packet{Code: l.code, ID: id}
	if l.code == accessRequest {
		crand.Read(p.Authenticator[:]) // never fails (crypto/rand)
		l.credentials(p, e.user)
	} else {
		p.Attributes = append(p.Attributes, radiustest.Attr(radiustest.UserName, e.user.Name), radiustest.Number(radiustest.AcctStatusType, e.status),
			radiustest.Number(acctInputOctets, l.random.Uint32())) // else the next one may be the same packet
	}
	p.Attributes = append(p.Attributes, e.whereabouts()...)
	octets := p.Encode()
	if l.code == accountingRequest {
		radiustest.Sign(octets, noAuthenticator[:], l.Secret)
	} else {
		radiustest.SignMA(octets, p.Authenticator[:], l.Secret)
	}
	return octets
}

// credentials are what logs the user in. Message-Authenticator stands first
// (CVE-2024-3596); it is filled in once the rest stands.
func (l *line) credentials(p *radiustest.Packet, user *User) {
	if !l.NoMA {
		p.Attributes = append(p.Attributes, radiustest.MA())
	}
	p.Attributes = append(p.Attributes, radiustest.Attr(radiustest.UserName, user.Name))
	if l.random.IntN(100) >= l.CHAP {
		hidden := radiustest.HidePassword([]byte(user.Password), p.Authenticator[:], l.Secret)
		p.Attributes = append(p.Attributes, radiustest.Attribute{Type: radiustest.UserPassword, Value: hidden})
		return
	}
	challenge := binary.BigEndian.AppendUint64(binary.BigEndian.AppendUint64(nil, l.random.Uint64()), l.random.Uint64())
	response := md5.Sum(append(append([]byte{p.ID}, user.Password...), challenge...))
	p.Attributes = append(p.Attributes,
		radiustest.Attribute{Type: radiustest.CHAPPassword, Value: append([]byte{p.ID}, response[:]...)},
		radiustest.Attribute{Type: radiustest.CHAPChallenge, Value: challenge})
}

// whereabouts are the attributes that say where a subscriber's line ends and
// which session this is: the same ones in each request of a session.
func (e errand) whereabouts() []radiustest.Attribute {
	sum := md5.Sum([]byte(e.user.Name))
	port := binary.BigEndian.Uint32(sum[:])
	session := fmt.Sprintf("%x", sum[4:12])
	if e.session > 0 {
		session = fmt.Sprintf("%x", e.session)
	}
	all := []radiustest.Attribute{
		{Type: radiustest.NASIPAddress, Value: []byte{192, 0, 2, 1}},
		radiustest.Attr(radiustest.NASIdentifier, "sekisho-bench"),
		radiustest.Number(nasPort, port),
		radiustest.Number(nasPortType, 5), // Virtual
		radiustest.Number(serviceType, 2), // Framed
		radiustest.Number(framedProtocol, 1),
		radiustest.Attr(nasPortID, fmt.Sprintf("xe-0/1/%d:%d-%d", port%4, port%1000, port%4000)),
		radiustest.Attr(callingStationID, fmt.Sprintf("02-00-%02X-%02X-%02X-%02X", sum[0], sum[1], sum[2], sum[3])),
		radiustest.Attr(radiustest.AcctSessionID, session),
	}
	if e.session > 0 && e.status > 0 { // an address of 10.0.0.0/8, unlike that of all other sessions of these hours
		address := binary.BigEndian.AppendUint32(nil, 10<<24|uint32(e.session)&0xffffff)
		all = append(all, radiustest.Attribute{Type: framedIPAddress, Value: address})
	}
	return all
}

// What may be wrong with an answer.
const (
	wrongFraming       = "no RADIUS packet"
	wrongAuthenticator = "wrong Response Authenticator"
	wrongMA            = "wrong Message-Authenticator"
	wrongCode          = "wrong code"
	wrongClass         = "the answer of another subscriber"
	wrongFilter        = "wrong Filter-Id"
	wrongTime          = "an answer to no request, or one too many"
)

// verify looks at everything in an answer that can be known to be wrong.
func (l *line) verify(r *request, octets []byte) (code byte, wrong string) {
	p, err := radiustest.Decode(octets)
	if err != nil {
		return 0, wrongFraming
	}
	authenticator := r.octets[4:headerLen]
	switch {
	case !radiustest.CheckSign(octets, authenticator, l.Secret):
		return 0, wrongAuthenticator
	case len(p.Values(radiustest.MessageAuthenticator)) > 0 && !radiustest.CheckMA(octets, authenticator, l.Secret):
		return 0, wrongMA
	case !fits(l.code, p.Code):
		return 0, wrongCode
	case p.Code == accessAccept && l.Class && p.Value(class) != r.user.Name:
		return 0, wrongClass
	case p.Code == accessAccept && r.user.Checked && !filtered(p, r.user.Filter):
		return 0, wrongFilter
	}
	return p.Code, ""
}

func fits(request, answer byte) bool {
	if request == accountingRequest {
		return answer == accountingResponse
	}
	return answer == accessAccept || answer == accessReject
}

// filtered reports whether an Accept has this Filter-Id and no other.
func filtered(p *radiustest.Packet, want string) bool {
	values := p.Values(radiustest.FilterID)
	if want == "" {
		return len(values) == 0
	}
	return len(values) == 1 && bytes.Equal(values[0], []byte(want))
}
