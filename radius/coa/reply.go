package coa

import (
	"encoding/binary"
	"fmt"
	"time"

	"sekisho/dict"
	"sekisho/radius"
)

// Outcome is what became of a request: what a reply, or none, means for the
// session and for those after it.
type Outcome uint8

// The outcomes. docs/coa.md says which reply is which.
const (
	Done          Outcome = iota // the router says that it did so
	Gone                         // the router has no such session: it is over
	Refused                      // the router will not do so, however often it is asked
	Later                        // not now, or not known: it is asked again
	Reauthorizing                // the router asks for an Access-Accept instead, by an Access-Request of its own
	Unreachable                  // nobody listens there (ICMP)
	outcomes
)

var outcomeNames = [outcomes]string{"done", "gone", "refused", "later", "reauthorizing", "unreachable"}

// String is the outcome's short name, as it is counted.
func (o Outcome) String() string { return outcomeNames[o] }

// Cause is the value of an Error-Cause attribute (RFC 5176 section 3.6).
type Cause uint32

type causeMeaning struct {
	name    string
	outcome Outcome
	general bool // every other session of this NAS would be answered the same
}

// causes are all that RFC 5176 section 3.5 and its successors define.
var causes = map[Cause]causeMeaning{
	201: {"Residual-Context-Removed", Gone, false},
	202: {"Invalid-EAP-Packet", Refused, false},
	401: {"Unsupported-Attribute", Refused, true},
	402: {"Missing-Attribute", Refused, true},
	403: {"NAS-Identification-Mismatch", Refused, true},
	404: {"Invalid-Request", Refused, true},
	405: {"Unsupported-Service", Refused, true},
	406: {"Unsupported-Extension", Refused, true},
	407: {"Invalid-Attribute-Value", Refused, true},
	501: {"Administratively-Prohibited", Refused, true},
	502: {"Proxy-Request-Not-Routable", Refused, true},
	503: {"Session-Context-Not-Found", Gone, false},
	504: {"Session-Context-Not-Removable", Refused, false},
	505: {"Proxy-Processing-Error", Later, false},
	506: {"Resources-Unavailable", Later, false},
	507: {"Request-Initiated", Reauthorizing, false},
	508: {"Multiple-Session-Selection-Unsupported", Refused, false},
	509: {"Location-Info-Required", Refused, false},
	510: {"Missing-Message-Authenticator", Refused, true},
}

// String is number and name: "401 Unsupported-Attribute".
func (c Cause) String() string {
	if meaning, ok := causes[c]; ok {
		return fmt.Sprintf("%d %s", c, meaning.name)
	}
	return fmt.Sprintf("%d", uint32(c))
}

// Reply is how a request ended.
type Reply struct {
	Outcome Outcome
	Code    byte          // of the answer; 0 when none came
	Cause   Cause         // 0 when none was given
	Text    string        // what the router says to people, quoted; often nothing
	Tries   int           // how often the request was sent
	Took    time.Duration // from the first time to the end
	Err     error         // what the kernel said, where it did

	packet radius.Packet // as it came, for the relay
}

// General reports whether a refusal is about how this NAS is spoken to rather
// than about one session: the next one would be refused as well.
func (r Reply) General() bool { return r.Outcome == Refused && causes[r.Cause].general }

// String says it in a few words: "CoA-NAK 401 Unsupported-Attribute".
func (r Reply) String() string {
	var text string
	switch {
	case r.Err != nil:
		return r.Err.Error()
	case r.Code == 0:
		return fmt.Sprintf("no answer to %d requests within %s", r.Tries, r.Took.Round(100*time.Millisecond))
	case r.Code == coaACK:
		text = "CoA-ACK"
	case r.Code == disconnectACK:
		text = "Disconnect-ACK"
	case r.Code == coaNAK:
		text = "CoA-NAK"
	default:
		text = "Disconnect-NAK"
	}
	if r.Cause != 0 {
		text += " " + r.Cause.String()
	} else if r.Code == coaNAK || r.Code == disconnectNAK {
		text += " without Error-Cause"
	}
	if r.Text != "" {
		text += " " + r.Text
	}
	return text
}

// read makes a Reply of an authentic answer.
func read(p radius.Packet) Reply {
	r := Reply{Code: p.Code(), packet: p, Text: said(p)}
	if cause := p.Find(typeErrorCause); len(cause) == 4 {
		r.Cause = Cause(binary.BigEndian.Uint32(cause))
	}
	r.Outcome = r.meaning()
	return r
}

// meaning is what code and cause together mean. An ACK is one whatever cause it
// carries: 201 says that a Disconnect found only remains.
func (r Reply) meaning() Outcome {
	if r.Code == coaACK || r.Code == disconnectACK {
		return Done
	}
	if meaning, ok := causes[r.Cause]; ok {
		return meaning.outcome
	}
	if r.Code == disconnectNAK && r.Cause == 0 {
		return Later // strongSwan says so while another of its threads has the session
	}
	return Refused // no cause, or one that is not known: asking again would not help
}

// erxActionReason is where Junos routers say what failed.
var erxActionReason = dict.Key{Vendor: 4874, Number: 178}

// said is what a router writes for people, at most a line of it.
func said(p radius.Packet) string {
	const most = 120
	text := p.Find(typeReplyMessage)
	for typ, attr := range p.Attributes() {
		if typ == typeVendorSpecific && len(attr) > 8 && binary.BigEndian.Uint32(attr[2:]) == erxActionReason.Vendor && uint32(attr[6]) == erxActionReason.Number {
			text = attr[8:]
		}
	}
	if len(text) == 0 {
		return ""
	}
	return dict.Quote(text[:min(len(text), most)])
}

// answers reports whether a reply of that code can answer a request.
func (k Kind) answers(code byte) bool {
	if k == Disconnect {
		return code == disconnectACK || code == disconnectNAK
	}
	return code == coaACK || code == coaNAK
}
