package radius

import "encoding/binary"

// answerStatus answers a Status-Server with what RFC 5997 section 4 wants on
// each port. It asks no AAA and no policy: it says that the proxy lives.
func (p *Proxy) answerStatus(a *arrival) {
	if !p.usable() {
		p.refuse(a, dropUnusable)
		return
	}
	code := byte(accessAccept)
	if a.listener.kind == acct {
		code = accountingResponse
	}
	reply := make(packet, headerLen, headerLen+attrMALen)
	reply[0], reply[1] = code, a.packet.id()
	reply = appendMA(reply)
	binary.BigEndian.PutUint16(reply[2:], uint16(len(reply)))
	a.nas.Secret.sealReply(reply, a.packet.authenticator())
	a.nas.counters.answered[code].Add(1)
	p.deliver(a.nas, a.listener, reply, a.datagram.from, a.datagram.local)
}

// usable reports whether NASes may be told that the proxy lives: always, unless
// it was given a way to know better.
func (p *Proxy) usable() bool {
	return p.healthy == nil || p.aside.stuck.Load() < maxStuck && p.healthy()
}

// sealReply signs a reply: the Message-Authenticator first, if the packet
// begins with one, then the Response Authenticator over it (RFC 3579 section
// 3.2).
func (s *Secret) sealReply(reply packet, requestAuthenticator []byte) {
	if len(reply) >= headerLen+attrMALen && reply[headerLen] == typeMessageAuthenticator {
		ma := s.authenticate(reply, headerLen, requestAuthenticator)
		copy(reply[headerLen+2:], ma[:])
	}
	signature := s.sign(reply, requestAuthenticator)
	copy(reply[4:], signature[:])
}
