package radius

import (
	"bytes"
	"encoding/binary"
	"io"
	"net"
	"net/netip"
	"testing"
	"time"

	"sekisho/dict"
	"sekisho/engine"
)

// bench is a proxy whose goroutines are the test's: datagrams are handed to it
// by calls, what it sends goes to sockets that nobody reads.
type bench struct {
	testing.TB
	*Proxy
	auth, acct *listener
	nas, aaa   *Secret
	now        time.Time
	from       *reader
}

type everybodyBlocked struct{}

func (everybodyBlocked) Subscriber(account string, f *engine.Facts) error {
	f.Contract = &engine.Contract{Account: account, Course: "adsl"}
	return nil
}

func newBench(t testing.TB) *bench {
	t.Helper()
	b := &bench{TB: t, nas: NewSecret([]byte("kyoto-bras-1")), aaa: NewSecret([]byte("tokyo-aaa-secret")), now: time.Unix(1e9, 0)}
	b.Proxy = newProxy(Options{Subscribers: everybodyBlocked{}, Sessions: nobody{}, Clock: b.clockNow, timer: b.clockNow})
	sink, err := net.ListenUDP("udp", net.UDPAddrFromAddrPort(netip.MustParseAddrPort("127.0.0.1:0")))
	if err != nil {
		t.Fatal(err)
	}
	loopback := netip.MustParseAddrPort("127.0.0.1:0")
	config := &Config{Auth: []netip.AddrPort{loopback}, Acct: []netip.AddrPort{loopback}}
	b.compileInto(config, sink.LocalAddr().(*net.UDPAddr).AddrPort())
	if err := b.listen(config); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		b.closeAll()
		sink.Close()
	})
	for _, l := range b.listeners {
		if l.kind == auth {
			b.auth = l
		} else {
			b.acct = l
		}
	}
	b.from = &reader{in: newInbox(b.auth.raw, askNothing), out: newOutbox()}
	return b
}

func (b *bench) clockNow() time.Time { return b.now }

func (b *bench) compileInto(c *Config, upstream netip.AddrPort) {
	policy, faults := engine.Compile(engine.Spec{
		Name:    "bench",
		Logins:  []engine.LoginSpec{{Match: "{account}@{realm}", Form: "plain"}},
		Courses: []engine.Course{{ID: "adsl", Name: "ADSL"}},
		Actions: []engine.Action{{Name: "open"}, {Name: "block", Filter: "op25b"}},
		Rules: []engine.RuleSpec{
			{Name: "dial-up", When: engine.Condition{Request: []engine.Wanted{{Name: "NAS-Port-Type", Values: []string{"ISDN"}}}}, Then: "open"},
			{Name: "all", When: engine.Condition{Course: []string{"adsl"}}, Then: "block"},
		},
		Otherwise: "open", UnknownContract: "block",
	})
	if policy == nil {
		b.Fatal(faults)
	}
	c.Policy, c.Dictionary = policy, dict.Standard()
	c.NAS = []NAS{{Name: "bras1", Source: netip.MustParsePrefix("127.0.0.1/32"), Secret: b.nas, Profile: pairProfile(b, dict.Replace)}}
	server := &AAA{Name: "tokyo-1", Auth: upstream, Acct: upstream, Secret: b.aaa}
	c.Realms = map[string]*Pool{"*": {Name: "all", Servers: []*AAA{server}}}
	b.current.Store(b.compile(c.withDefaults()))
}

// pairProfile says `block` by a Filter-Id and by a pair inside a vendor's
// attribute.
func pairProfile(t testing.TB, mode dict.Conflict) *dict.Profile {
	t.Helper()
	spec := dict.ProfileSpec{Filtered: dict.Sayings{"Filter-Id": {"{filter}"}, "Cisco-AVPair": {"ip:inacl={filter}"}}, Conflict: mode}
	p, errs := dict.CompileProfile(dict.Standard(), "pairs", spec, []dict.Action{{Name: "open"}, {Name: "block", Filter: "op25b"}})
	if errs != nil {
		t.Fatal(errs)
	}
	return p
}

// fresh forgets everything that is held.
func (b *bench) fresh(t testing.TB) {
	b.now = b.now.Add(time.Hour)
	b.sweep(b.now)
	for _, server := range b.allPeers() {
		server.health.hear(b.now) // the silence of an hour is forgiven
	}
	if held, waiting := b.duplicates.held.Load(), b.underWay(); held != 0 || waiting != 0 {
		t.Fatalf("%d requests held, %d waiting after an hour", held, waiting)
	}
}

// send gives a datagram to a listener and returns its transaction, nil if it
// was dropped.
func (b *bench) send(l *listener, octets []byte) *transaction {
	client := netip.MustParseAddrPort("127.0.0.1:9")
	b.receive(l, datagram{octets: octets, from: client, local: l.addr})
	if len(octets) < headerLen {
		return nil
	}
	t := &transaction{listener: l, client: client, local: l.addr, request: octets}
	t.hash = b.duplicates.hash(t.appendKey(nil))
	return b.duplicates.shard(t).find(t)
}

// assemble makes a packet of that code around attributes, signed with what
// there is to sign.
func assemble(code byte, attributes []byte, seed []byte, secret *Secret) packet {
	p := make(packet, headerLen, maxPacketLen)
	p[0], p[1] = code, 7
	p = append(p, attributes[:min(len(attributes), maxPacketLen-headerLen)]...)
	binary.BigEndian.PutUint16(p[2:], uint16(len(p)))
	if code == accessRequest || code == statusServer {
		copy(p[4:], seed)
	}
	if whole, why := parse(p); why == forwarded {
		if at := whole.offset(typeMessageAuthenticator); at > 0 {
			ma := secret.authenticate(p, at, seed)
			copy(p[at+2:], ma[:])
		}
	}
	if code != accessRequest && code != statusServer {
		signature := secret.sign(p, seed)
		copy(p[4:], signature[:])
	}
	return p
}

func FuzzParse(f *testing.F) {
	f.Fuzz(func(t *testing.T, datagram []byte) {
		p, why := parse(datagram)
		if why != forwarded {
			return
		}
		at, authenticators := headerLen, 0
		for offset, attr := range p.attributes() {
			if offset != at || len(attr) < 2 || len(attr) != int(attr[1]) || attr[0] == 0 {
				t.Fatalf("attribute %x at %d, want one at %d", attr, offset, at)
			}
			if attr[0] == typeMessageAuthenticator {
				authenticators++
			}
			at += len(attr)
		}
		if at != len(p) || len(p) > maxPacketLen || len(p) != int(binary.BigEndian.Uint16(p[2:])) || authenticators > 1 {
			t.Fatalf("%d octets, attributes end at %d, %d Message-Authenticators", len(p), at, authenticators)
		}
	})
}

func FuzzFromNAS(f *testing.F) {
	b := newBench(f)
	b.SetDebug(io.Discard)
	f.Fuzz(func(t *testing.T, raw bool, code byte, content []byte) {
		l, octets, seed := b.auth, content, bytes.Repeat([]byte{0xa5}, authenticatorLen)
		if code == accountingRequest {
			l, seed = b.acct, zeroAuthenticator[:]
		}
		if !raw {
			octets = assemble(code, content, seed, b.nas)
		}
		if tr := b.send(l, octets); tr != nil {
			checkForwarded(t, tr)
		}
		b.fresh(t)
	})
}

// checkForwarded checks a request as it went upstream.
func checkForwarded(t *testing.T, tr *transaction) {
	sent, why := parse(tr.attempt.Load().wire)
	if why != forwarded || len(sent) != len(tr.attempt.Load().wire) {
		t.Fatalf("sent a packet that is none: %s", why)
	}
	if sent.code() == accessRequest && (sent[headerLen] != typeMessageAuthenticator || !tr.attempt.Load().target.Secret.authentic(sent, headerLen, sent.authenticator())) {
		t.Fatalf("no right Message-Authenticator first in %x", []byte(sent))
	}
	if got, want := types(sent), types(tr.request); !bytes.HasPrefix(got, want) {
		t.Fatalf("attributes %d became %d", want, got)
	}
}

// types are the types of a packet's attributes but Message-Authenticator.
func types(p packet) []byte {
	var types []byte
	for _, attr := range p.attributes() {
		if attr[0] != typeMessageAuthenticator {
			types = append(types, attr[0], attr[1])
		}
	}
	return types
}

func FuzzFromAAA(f *testing.F) {
	b := newBench(f)
	b.SetDebug(io.Discard)
	f.Fuzz(func(t *testing.T, raw bool, code byte, content []byte) {
		l, request := b.auth, assemble(accessRequest, unhex(t, "010a7540617364662e6a2104aabb"), bytes.Repeat([]byte{1}, 16), b.nas)
		if code == accountingResponse {
			l, request = b.acct, assemble(accountingRequest, request[headerLen:], zeroAuthenticator[:], b.nas)
		}
		tr := b.send(l, request)
		a, octets := tr.attempt.Load(), content
		if !raw {
			octets = assemble(code, content, a.authenticator[:], b.aaa)
			octets[1] = a.id
			signature := b.aaa.sign(octets, a.authenticator[:])
			copy(octets[4:], signature[:])
		}
		b.from.socket = a.socket
		if answer, _ := b.reply(b.from, octets); answer != nil {
			b.from.out.post(answer)
			b.from.send(b.Proxy)
		}
		if tr.state.Load() == answered {
			checkAnswer(t, tr)
		}
		b.fresh(t)
	})
}

// checkAnswer checks a reply as it went to the NAS.
func checkAnswer(t *testing.T, tr *transaction) {
	reply, why := parse(tr.reply)
	if why != forwarded || len(reply) != len(tr.reply) {
		t.Fatalf("answered with a packet that is none: %s", why)
	}
	if !tr.nas.Secret.signed(reply, tr.request.authenticator()) {
		t.Fatal("wrong Response Authenticator")
	}
	if tr.request.code() == accessRequest && (reply[headerLen] != typeMessageAuthenticator || !tr.nas.Secret.authentic(reply, headerLen, tr.request.authenticator())) {
		t.Fatalf("no right Message-Authenticator first in %x", tr.reply)
	}
	if !bytes.HasSuffix(reply, []byte{typeProxyState, 4, 0xaa, 0xbb}) {
		t.Fatalf("without the Proxy-State of the router: %x", tr.reply)
	}
}

func FuzzCopyAttributes(f *testing.F) {
	f.Fuzz(func(t *testing.T, mode uint8, content []byte) {
		accept, why := parse(assemble(accessAccept, content, zeroAuthenticator[:], NewSecret([]byte("s"))))
		if why != forwarded {
			return
		}
		modes := []dict.Conflict{dict.Replace, dict.ReplaceOurs, dict.Append, dict.Keep}
		profile := pairProfile(t, modes[int(mode)%len(modes)])
		saying, _ := profile.Login("block")
		insert := newInsertion(profile, dict.Standard(), saying, accept)
		got := insert.copyAttributes(make(packet, headerLen), accept)
		binary.BigEndian.PutUint16(got[2:], uint16(len(got)))
		if _, why := parse(got); why != forwarded || len(got) > len(accept) {
			t.Fatalf("%x became %x: %s", []byte(accept), []byte(got), why)
		}
		if insert.profile == nil {
			return
		}
		again := insert.copyAttributes(make(packet, headerLen), got)
		if !bytes.Equal(again[headerLen:], got[headerLen:]) {
			t.Fatalf("%x still holds what has to go: %x", []byte(got), []byte(again))
		}
	})
}

func FuzzRehide(f *testing.F) {
	set := newHiddenSet(dict.Standard())
	nas := keying{NewSecret([]byte("kyoto-bras-1")), bytes.Repeat([]byte{1}, 16)}
	aaa := keying{NewSecret([]byte("tokyo-aaa-secret")), bytes.Repeat([]byte{2}, 16)}
	f.Fuzz(func(t *testing.T, content []byte) {
		p, why := parse(assemble(accessAccept, content, zeroAuthenticator[:], aaa.secret))
		if why != forwarded {
			return
		}
		attrs := bytes.Clone(p[headerLen:])
		if !set.rehideAll(attrs, aaa, nas) {
			return
		}
		there := bytes.Clone(attrs)
		if !set.rehideAll(attrs, nas, aaa) {
			t.Fatal("what was hidden by us cannot be read with our secret")
		}
		again := bytes.Clone(attrs)
		if !set.rehideAll(again, aaa, nas) {
			t.Fatal("nor back again")
		}
		if len(again) != len(p)-headerLen || !bytes.Equal(shape(again), shape(there)) {
			t.Fatalf("%x became %x", there, again)
		}
	})
}

// shape is attributes without the values.
func shape(attrs []byte) []byte {
	var s []byte
	for ; len(attrs) > 0; attrs = attrs[attrs[1]:] {
		s = append(s, attrs[:2]...)
	}
	return s
}

// nobody is told of sessions.
type nobody struct{}

func (nobody) LoggedIn(Glimpse)   {}
func (nobody) Accounting(Glimpse) {}
