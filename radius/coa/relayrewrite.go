package coa

import (
	"bytes"
	"cmp"

	"sekisho/dict"
	"sekisho/radius"
	"sekisho/radius/session"
)

// telling is what a relayed request tells a session.
type telling struct {
	id            session.ID
	action, words string
}

// rewrite makes the request that the router gets: all attributes in their
// order, without the Message-Authenticator and with our Proxy-State last. In a
// CoA-Request those that the profile manages give way to what the policy wants.
func (r *Relay) rewrite(q *request, router *Router) (out Request, told []telling, refused Cause) {
	var kept []byte
	managed := 0
	goes := func(k dict.Key, value []byte) bool {
		ours := q.kind == Change && router.manages(k, value)
		if ours {
			managed++
		}
		return ours
	}
	for typ, attr := range q.packet.Attributes() {
		switch {
		case typ == typeMessageAuthenticator:
		case typ == typeProxyState && bytes.Equal(attr[2:], r.mark[:]):
			return out, nil, 502 // it has been here before
		default:
			kept = append(kept, radius.Without(attr, router.Dictionary, goes)...)
		}
	}
	if managed > 0 || q.kind == Change && router.replacesAll() {
		said, of, cause := r.wanted(q, router)
		if cause != 0 {
			return out, nil, cause
		}
		kept, told = append(kept, said...), of
		if managed > 0 {
			r.options.Log.Warn("a CoA of an AAA server carried attributes that the policy decides: they were replaced",
				"aaa", q.client.Name, "nas", router.Name, "attributes", managed, "sessions", len(of))
			r.counts.replaced(router.Name)
		}
	}
	kept = append(kept, typeProxyState, byte(2+len(r.mark)))
	return Request{Kind: q.kind, Attributes: append(kept, r.mark[:]...), relayed: true}, told, 0
}

// wanted is what the policy says for the sessions that a request names, in the
// profile's words. Without a session nobody knows: such a request is refused
// rather than let undo a filter.
func (r *Relay) wanted(q *request, router *Router) (said []byte, told []telling, refused Cause) {
	if len(q.sessions) == 0 {
		return nil, nil, 503
	}
	for i := range q.sessions {
		s := &q.sessions[i]
		d, err := r.options.Decider.Decide(s, r.options.Clock())
		if err != nil {
			r.options.Log.Error("a CoA of an AAA server cannot be decided about", "aaa", q.client.Name, "nas", router.Name, "error", err)
			return nil, nil, 506
		}
		action := r.target(s, d.Action)
		saying, ok := router.Profile.CoA(action)
		if s.Exempt != "" || !ok {
			continue
		}
		if told != nil && !bytes.Equal(said, saying.Wire) {
			return nil, nil, 508 // one packet cannot say two things
		}
		said, told = saying.Wire, append(told, telling{s.ID, action, saying.Words})
	}
	return said, told, 0
}

// target is what a session is to be told for which the policy wants an action.
func (r *Relay) target(s *session.Session, wanted string) string {
	if r.options.Held == nil {
		return wanted
	}
	s.Wanted = wanted
	return cmp.Or(r.options.Held.Held(s), wanted)
}

// manages reports whether an attribute is the policy's to set.
func (r *Router) manages(k dict.Key, value []byte) bool {
	if r.Profile == nil {
		return false
	}
	managed, _ := r.Profile.Owns(k, value)
	return managed
}

// replacesAll reports whether this kind of router forgets its filter at a CoA
// that does not name it.
func (r *Router) replacesAll() bool { return r.Profile != nil && r.Profile.Quirks().Complete }

// learn writes down what an answer says of the sessions that were told what the
// policy decides. After silence nobody knows whether they were. Something else
// may be wanted of them by now: a request waits for its answer for seconds.
func (r *Relay) learn(told []telling, reply Reply) {
	var accounts []string
	for _, t := range told {
		s, live := r.options.Sessions.Get(t.id)
		if live {
			accounts = append(accounts, s.Account)
		}
		switch {
		case reply.Outcome == Done:
			r.options.Sessions.Told(t.id, t.action, session.Acknowledged, "")
			r.options.Sessions.Worded(t.id, t.words, false)
		case live && reply.Code == 0 && reply.Outcome == Later && s.Applied != t.action:
			r.options.Sessions.Told(t.id, "", session.Sent, "a request of an AAA server was passed on: "+reply.String())
		}
	}
	r.settled(told)
	if len(accounts) > 0 && r.options.Look != nil {
		r.options.Look(accounts)
	}
}

// announce has on disk whom a relayed request tells what the policy decides.
// Few do: the datagrams behind it wait.
func (r *Relay) announce(told []telling) {
	if r.options.Journal == nil || len(told) == 0 {
		return
	}
	ids := make([]session.ID, len(told))
	for i, t := range told {
		ids[i] = t.id
	}
	r.options.Journal.Announce(ids)
}

// settled says that the sessions have what came of it.
func (r *Relay) settled(told []telling) {
	if r.options.Journal == nil {
		return
	}
	for _, t := range told {
		r.options.Journal.Settled(t.id)
	}
}
