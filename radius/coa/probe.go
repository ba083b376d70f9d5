package coa

import (
	"errors"
	"fmt"
	"time"

	"sekisho/dict"
	"sekisho/radius/session"
)

// Probe is a look at what a router does with one live session: while it lasts,
// the session is told what the probe says and not what is wanted. It ends no
// session.
type Probe struct {
	keeper   *Keeper
	id       session.ID
	patience time.Duration
}

// Probe begins one that waits for each answer no longer than it has patience,
// 0 standing for 30 seconds. The error wraps ErrNoSession, or ErrNotNow while another
// one looks at the session, or says why the router could not be told afterwards
// what is wanted.
func (k *Keeper) Probe(id session.ID, patience time.Duration) (*Probe, error) {
	err := errEnding
	k.do(func() {
		var l *lane
		var s session.Session
		k.decide(id)
		if l, s, err = k.at(id); err != nil {
			return
		}
		if _, err = l.change(&s, s.Wanted); err != nil {
			err = fmt.Errorf("what is wanted for session %s could not be told again: %w", id.AcctSession, err)
			return
		}
		if _, twice := l.probed[id]; twice {
			err = fmt.Errorf("%w: another probe looks at session %s at %s", ErrNotNow, id.AcctSession, id.NAS)
			return
		}
		l.probed[id] = ""
	})
	if err != nil {
		return nil, err
	}
	return &Probe{k, id, patience}, nil
}

var errEnding = errors.New("the daemon is ending")

// at finds a session that can be told something.
func (k *Keeper) at(id session.ID) (*lane, session.Session, error) {
	s, live := k.sessions.Get(id)
	if !live {
		return nil, s, fmt.Errorf("%w: %s at %s", ErrNoSession, id.AcctSession, placeOf(id))
	}
	l := k.lane(placeOf(id))
	err := l.reach()
	switch {
	case err != nil:
		return nil, s, err
	case s.Exempt != "":
		return nil, s, fmt.Errorf("session %s at %s is told nothing: %s", id.AcctSession, id.NAS, s.Exempt)
	}
	return l, s, nil
}

// Words is the CoA-Request by which a session would be told an action, an
// attribute each, and to whom it would go. An action that is not said by CoA is
// an error that says why.
func (k *Keeper) Words(id session.ID, action string) (to string, attributes []string, err error) {
	err = errEnding
	k.do(func() {
		var l *lane
		var s session.Session
		if l, s, err = k.at(id); err != nil {
			return
		}
		to = l.CoA.Address.String()
		attributes, err = l.words(&s, action)
	})
	return to, attributes, err
}

// words is a CoA-Request for people, without its authenticators.
func (r *Router) words(s *session.Session, action string) ([]string, error) {
	if _, err := r.change(s, action); err != nil {
		return nil, err
	}
	var words []string
	keys, _ := r.Profile.Identification().ForCoA(func(k dict.Key) bool { return identity(s, k) != nil })
	for _, k := range keys {
		if a, ok := r.Dictionary.ByKey(k); ok {
			words = append(words, a.Name+" = "+a.Format(identity(s, k)))
		}
	}
	said, _ := r.Profile.CoA(action)
	return append(words, said.Text...), nil
}

// change is compose for those who want no session to end.
func (r *Router) change(s *session.Session, action string) (Request, error) {
	request, err := r.compose(s, action)
	if err == nil && request.Kind != Change {
		err = fmt.Errorf("%s is told %s by ending the session", r.Name, action)
	}
	return request, err
}

// Tell has the session told an action and keeps it there until the next one or
// the end. done is as in Push.
func (p *Probe) Tell(action string, done func(Reply)) {
	p.with(done, func(l *lane, s *session.Session) error {
		if _, err := l.change(s, action); err != nil {
			return err
		}
		l.probed[p.id] = action
		p.keeper.orderOne(p.id, false, p.patience, done)
		return nil
	})
}

// End has the session told what is wanted by now, whatever the probe told it.
// done is as in Push.
func (p *Probe) End(done func(Reply)) {
	p.with(done, func(l *lane, _ *session.Session) error {
		delete(l.probed, p.id)
		p.keeper.orderOne(p.id, false, p.patience, done)
		return nil
	})
}

// with does something in the keeper's goroutine, or tells why it cannot.
func (p *Probe) with(done func(Reply), f func(*lane, *session.Session) error) {
	alive := p.keeper.do(func() {
		l, s, err := p.keeper.at(p.id)
		if err == nil {
			err = f(l, &s)
		} else {
			delete(p.keeper.lane(placeOf(p.id)).probed, p.id) // there is nothing left to look at
		}
		switch {
		case errors.Is(err, ErrNoSession):
			done(Reply{Outcome: Gone, Err: err})
		case err != nil:
			done(Reply{Outcome: Refused, Err: err})
		}
	})
	if !alive {
		done(Reply{Outcome: Later, Err: errEnding})
	}
}
