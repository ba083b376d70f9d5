package session

import (
	"cmp"
	"slices"
)

// order holds the sessions of a router by Acct-Session-Id, in pieces that are
// short enough to move about: to find a place costs some string comparisons
// however many there are, and the memory is hardly more than a list's.
type order struct{ pieces [][]*entry }

// pieceLength is how long a piece may become; then it is cut in two.
const pieceLength = 512

// place finds where an Acct-Session-Id is, or would be.
func (o *order) place(acct string) (piece, at int, found bool) {
	piece, _ = slices.BinarySearchFunc(o.pieces, acct, func(p []*entry, acct string) int { return cmp.Compare(p[len(p)-1].acct, acct) })
	if piece == len(o.pieces) {
		return piece, 0, false
	}
	at, found = slices.BinarySearchFunc(o.pieces[piece], acct, func(e *entry, acct string) int { return cmp.Compare(e.acct, acct) })
	return piece, at, found
}

// add enters a session whose name is not there yet. Names often come in their
// order, as after a restart: then pieces become full.
func (o *order) add(e *entry) {
	piece, at, _ := o.place(e.acct)
	if piece == len(o.pieces) {
		if piece == 0 || len(o.pieces[piece-1]) == pieceLength {
			o.pieces = append(o.pieces, []*entry{e})
			return
		}
		piece--
		at = len(o.pieces[piece])
	}
	whole := slices.Insert(o.pieces[piece], at, e)
	o.pieces[piece] = whole
	if len(whole) <= pieceLength {
		return
	}
	half := len(whole) / 2
	o.pieces = slices.Insert(o.pieces, piece+1, slices.Clone(whole[half:]))
	o.pieces[piece] = slices.Clone(whole[:half])
}

// remove takes a session out.
func (o *order) remove(e *entry) {
	piece, at, found := o.place(e.acct)
	if !found {
		return
	}
	if o.pieces[piece] = slices.Delete(o.pieces[piece], at, at+1); len(o.pieces[piece]) == 0 {
		o.pieces = slices.Delete(o.pieces, piece, piece+1)
	}
}

// from yields the sessions in their order, from an Acct-Session-Id on.
func (o *order) from(acct string) func(yield func(*entry) bool) {
	return func(yield func(*entry) bool) {
		piece, at, _ := o.place(acct)
		for ; piece < len(o.pieces); piece, at = piece+1, 0 {
			for _, e := range o.pieces[piece][at:] {
				if !yield(e) {
					return
				}
			}
		}
	}
}
