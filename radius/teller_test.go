package radius

import (
	"fmt"
	"net/netip"
	"testing"
	"time"
)

// Teller tells sessions of logins and of their accounting, as a proxy does on
// the way of a packet.
type Teller struct {
	proxy         *bench
	login, record *transaction
	accept        packet
	insert        insertion
}

// TellersTime is when all of that happens.
var TellersTime = time.Unix(1e9, 0)

// NewTeller makes a proxy that tells s.
func NewTeller(b testing.TB, s Sessions) *Teller {
	t := &Teller{proxy: newBench(b)}
	t.proxy.sessions, t.proxy.now = s, TellersTime
	line := "\x04\x06\x7f\x00\x00\x01\x05\x06\x00\x00\x00\x01\x06\x06\x00\x00\x00\x02\x07\x06\x00\x00\x00\x01\x3d\x06\x00\x00\x00\x05" +
		"\x1f\x1300:00:5e:00:53:01\x57\x11ge-0/0/1.4000:7\x2c\x120000000000000000\x01\x19f.uf0000000ab@atson.net"
	t.login = t.transaction(accessRequest, line+"\x03\x130123456789abcdefg\x50\x120123456789abcdef")
	t.record = t.transaction(accountingRequest, line+"\x28\x06\x00\x00\x00\x01\x29\x06\x00\x00\x00\x00\x08\x06\xc0\x00\x02\xfe\x37\x06\x3b\x9a\xca\x00")
	t.accept = assemble(accessAccept, unhex(b, "501200000000000000000000000000000000"+framed), zeroAuthenticator[:], t.proxy.aaa)
	t.insert, _ = t.proxy.insertion(t.login, t.accept)
	return t
}

func (t *Teller) transaction(code byte, attributes string) *transaction {
	client, snapshot := netip.MustParseAddrPort("127.0.0.1:9"), t.proxy.current.Load()
	request := assemble(code, []byte(attributes), zeroAuthenticator[:], t.proxy.nas)
	return &transaction{snapshot: snapshot, nas: snapshot.nases.source(client.Addr()).entries[0], client: client, request: request}
}

// Login tells of the i-th subscriber's login.
func (t *Teller) Login(i int) {
	t.becomes(t.login.request, i)
	t.proxy.loggedIn(t.login, t.accept, t.insert)
}

// Record tells of accounting about the i-th subscriber's session.
func (t *Teller) Record(i int, status Status) {
	t.becomes(t.record.request, i)
	t.record.request.find(typeAcctStatusType)[3] = byte(status)
	t.proxy.accounted(t.record)
}

// Start tells that the i-th subscriber's session begins.
func (t *Teller) Start(i int) { t.Record(i, StatusStart) }

func (t *Teller) becomes(request packet, i int) {
	digits := fmt.Appendf(make([]byte, 0, 16), "%016d", i)
	copy(request.find(typeAcctSessionID), digits)
	copy(request.find(typeUserName)[4:], digits[9:])
}
