package load

import "sekisho/radius/radiustest"

// past is what is known of the last requests that had an identifier, so that
// what is still said to them is not taken for a wrong answer to another.
type past struct {
	requests [4]over // a ring
	next     int
}

// over is a request that was answered or given up.
type over struct {
	authenticator [16]byte
	left          int // how many answers may still come: one for each sending
}

func (p *past) add(r *request, answers int) {
	p.requests[p.next] = over{[16]byte(r.octets[4:headerLen]), r.tries - answers}
	p.next = (p.next + 1) % len(p.requests)
}

// takes reports whether octets answer one of these, and counts them as answer.
func (p *past) takes(octets, secret []byte) bool {
	for i := range p.requests {
		r := &p.requests[i]
		if r.left > 0 && radiustest.CheckSign(octets, r.authenticator[:], secret) {
			r.left--
			return true
		}
	}
	return false
}
