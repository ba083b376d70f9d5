package coa

import (
	"bytes"
	"encoding/binary"
	"log/slog"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"sekisho/radius"
	"sekisho/radius/session"
	"sekisho/store"
)

// RelayConfig is where AAA servers send CoA- and Disconnect-Requests to, and
// who they are.
type RelayConfig struct {
	Listen  []netip.AddrPort
	Clients []RelayClient
}

// RelayClient is an AAA server that may send requests.
type RelayClient struct {
	Name    string
	Address netip.Addr
	Secret  *radius.Secret
}

// RelayOptions are what a Relay is given for its whole life.
type RelayOptions struct {
	Client   *Client
	Sessions RelaySessions
	Decider  Decider
	Held     Holder                       // who keeps sessions at something else than the policy says; nil: nobody
	Passed   func(Place)                  // is told of every request that a router gets; nil: nobody is; must not block
	Look     func(accounts []string)      // looks anew at what the sessions of accounts are told; nil: nobody does; must not block
	Journal  Journal                      // where it is kept who is being told something; nil: nowhere
	Ready    func() bool                  // whether all sessions are known: before, requests are dropped, and asked again; nil: always
	Account  func(userName string) string // folded, as the policy reads it; empty: it does not
	Clock    func() time.Time             // what time it is for the policy; nil: time.Now
	Timers   Clock                        // nil: WallClock
	Log      *slog.Logger                 // nil: discard
}

// RelaySessions are the live sessions as the relay needs them; see
// session.Table.
type RelaySessions interface {
	Get(session.ID) (session.Session, bool)
	Account(folded string) []session.ID
	Named(acctSession string) []session.ID
	Now(netip.Addr) []store.Stretch
	Told(id session.ID, action string, proof session.Proof, why string)
	Worded(id session.ID, words string, outdated bool)
}

// Holder knows what sessions are kept at; see Keeper.
type Holder interface {
	// Held is the action that a session is kept at though s.Wanted is wanted for
	// it; empty when it is not kept.
	Held(s *session.Session) (action string)
}

// Relay passes CoA- and Disconnect-Requests of AAA servers on to the routers.
// An AAA server cannot undo our filter unnoticed: attributes that a profile
// manages are replaced by those that the policy wants for the session. It
// retransmits nothing by itself.
type Relay struct {
	options RelayOptions
	ports   []*radius.Port
	serving sync.WaitGroup
	mark    [8]byte // our Proxy-State
	config  atomic.Pointer[relaying]
	cache   answers
	counts  relayCounts
}

// relaying is a configuration made ready.
type relaying struct {
	clients map[netip.Addr]RelayClient
	routers []Router
	hidden  *radius.Hidden // nil: there are no routers
}

// StartRelay opens the ports of a configuration and serves them.
func StartRelay(c RelayConfig, routers []Router, o RelayOptions) (*Relay, error) {
	if o.Clock == nil {
		o.Clock = time.Now
	}
	if o.Timers == nil {
		o.Timers = WallClock{}
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	r := &Relay{options: o, mark: newMark()}
	r.cache.now = o.Timers.Now
	r.Configure(c, routers)
	for _, addr := range c.Listen {
		port, err := radius.Listen(addr, "coa")
		if err != nil {
			r.Close()
			return nil, err
		}
		r.ports = append(r.ports, port)
	}
	for _, port := range r.ports {
		r.serving.Go(func() { port.Serve(func(b []byte, from, local netip.AddrPort) { r.receive(port, b, from, local) }) })
	}
	return r, nil
}

// Configure takes over clients and routers of another configuration; the ports
// stay those of the start.
func (r *Relay) Configure(c RelayConfig, routers []Router) {
	next := &relaying{clients: map[netip.Addr]RelayClient{}, routers: routers}
	for _, client := range c.Clients {
		next.clients[client.Address] = client
	}
	if len(routers) > 0 {
		next.hidden = radius.NewHidden(routers[0].Dictionary)
	}
	r.config.Store(next)
}

// Addresses tells where the relay listens.
func (r *Relay) Addresses() (all []netip.AddrPort) {
	for _, p := range r.ports {
		all = append(all, p.Addr())
	}
	return all
}

// Close closes the ports.
func (r *Relay) Close() {
	for _, p := range r.ports {
		p.Close()
	}
	r.serving.Wait()
}

// request is one on its way.
type request struct {
	packet   radius.Packet
	kind     Kind
	client   RelayClient
	reply    func(octets []byte)
	key      answerKey
	sessions []session.Session // that it names; in the end those at the router that it goes to
}

// receive takes a datagram of an AAA server; what is not authentic changes
// nothing and gets no answer.
func (r *Relay) receive(port *radius.Port, datagram []byte, from, local netip.AddrPort) {
	if r.options.Ready != nil && !r.options.Ready() {
		r.counts.drop(dropNotReady)
		return
	}
	c := r.config.Load()
	client, known := c.clients[from.Addr()]
	if !known {
		r.counts.drop(dropUnknownAAA)
		return
	}
	p, err := radius.ReadPacket(bytes.Clone(datagram))
	if err != nil {
		r.counts.drop(dropMalformed)
		return
	}
	q := &request{packet: p, client: client, key: answerKey{from, local, [headerLen]byte(p.Octets())}}
	q.reply = func(octets []byte) { _ = port.Reply(octets, from, local) } // one that is lost is asked for again
	switch p.Code() {
	case coaRequest:
	case disconnectRequest:
		q.kind = Disconnect
	default:
		r.counts.drop(dropCode)
		return
	}
	switch client.Secret.CheckRequest(p) {
	case nil:
		if r.stale(p) {
			r.counts.drop(dropStale)
			return
		}
		r.authentic(c, q)
	case radius.ErrMessageAuthenticator:
		r.counts.drop(dropBadMessageAuthenticator)
	default:
		r.counts.drop(dropBadAuthenticator)
	}
}

// timestampWindow is how far an Event-Timestamp may be off (RFC 5176 section
// 6.3).
const timestampWindow = 300 * time.Second

// stale reports whether a request says that it is from another time: somebody
// may have recorded it, and our own authenticator would make it good again.
func (r *Relay) stale(p radius.Packet) bool {
	at := p.Find(typeEventTimestamp)
	return len(at) == 4 && r.options.Timers.Now().Sub(time.Unix(int64(binary.BigEndian.Uint32(at)), 0)).Abs() > timestampWindow
}

// authentic takes a request that is what it says. A retransmission gets the
// answer again, or has the request sent on again while there is none.
func (r *Relay) authentic(c *relaying, q *request) {
	before, fresh := r.cache.open(q.key)
	if !fresh {
		if answer, x := before.state(); answer != nil {
			q.reply(answer)
		} else if x != nil {
			x.again()
		}
		r.counts.drop(dropDuplicate)
		return
	}
	q.sessions = r.match(q.packet)
	at, router, why := c.route(q)
	if why != 0 {
		r.options.Log.Warn("a request of an AAA server has nowhere to go", "aaa", q.client.Name, "packet", q.kind.String(), "nas", at.String(), "error_cause", why.String())
		r.refuse(before, q, why)
		return
	}
	r.pass(before, q, at, &router)
}

// pass sends a request on to its router.
func (r *Relay) pass(entry *answer, q *request, at Place, router *Router) {
	relayed, told, cause := r.rewrite(q, router)
	if cause == 0 && !r.config.Load().hidden.Rehide(relayed.Attributes, q.client.Secret, router.CoA.Secret) {
		cause = 505
	}
	if cause != 0 {
		r.refuse(entry, q, cause)
		return
	}
	r.announce(told)
	x, err := r.options.Client.send(router.CoA, relayed, func(reply Reply) { r.answered(entry, q, router, told, reply) })
	if err != nil {
		r.settled(told)
		r.options.Log.Warn("a CoA of an AAA server could not be passed on", "aaa", q.client.Name, "nas", router.Name, "error", err)
		r.refuse(entry, q, 506)
		return
	}
	entry.sent(x)
	if r.options.Passed != nil {
		r.options.Passed(at)
	}
}

// answered passes the router's answer back. Silence stays silence.
func (r *Relay) answered(entry *answer, q *request, router *Router, told []telling, reply Reply) {
	r.counts.relayed(router.Name, q.kind, reply)
	r.learn(told, reply)
	if reply.Code == 0 {
		if reply.Outcome == Unreachable {
			r.refuse(entry, q, 502)
		}
		return
	}
	var attributes []byte
	for typ, attr := range reply.packet.Attributes() {
		if typ != typeMessageAuthenticator && typ != typeProxyState {
			attributes = append(attributes, attr...)
		}
	}
	r.finish(entry, q, reply.Code, attributes)
}

// refuse answers for the router (RFC 5176 section 3.1).
func (r *Relay) refuse(entry *answer, q *request, cause Cause) {
	r.counts.refused(cause)
	code := byte(coaNAK)
	if q.kind == Disconnect {
		code = disconnectNAK
	}
	r.finish(entry, q, code, binary.BigEndian.AppendUint32([]byte{typeErrorCause, 6}, uint32(cause)))
}

// finish sends and keeps an answer, with the sender's Proxy-States as they
// were. It has a Message-Authenticator where the request had one.
func (r *Relay) finish(entry *answer, q *request, code byte, attributes []byte) {
	wire := make([]byte, headerLen, headerLen+attrMALen+len(attributes))
	wire[0], wire[1] = code, q.packet.ID()
	if q.packet.Find(typeMessageAuthenticator) != nil {
		wire = append(wire, typeMessageAuthenticator, attrMALen)
		wire = append(wire, make([]byte, attrMALen-2)...)
	}
	wire = append(wire, attributes...)
	for typ, attr := range q.packet.Attributes() {
		if typ == typeProxyState {
			wire = append(wire, attr...)
		}
	}
	if len(wire) > maxPacketLen {
		r.options.Log.Warn("the answer to a CoA of an AAA server would outgrow 4096 octets", "aaa", q.client.Name)
		return
	}
	binary.BigEndian.PutUint16(wire[2:], uint16(len(wire)))
	q.client.Secret.SealReply(wire, q.packet.Authenticator())
	entry.done(wire)
	q.reply(wire)
}
