package store

import (
	"bytes"
	"slices"

	"sekisho/engine"
)

// standing is what the store has of an account.
type standing struct {
	account  []byte
	owned    bool
	owner    owner
	contract []byte   // nil: none
	doubles  []double // entries that claim the account beside its owner
}

// double is an entry whose account belongs to another one, with the contract
// that it would have.
type double struct {
	id       EntryID
	contract []byte
}

// maxDoubles is how many entries beside the owner of an account are remembered:
// more of them are no accident, but a wrong attribute.
const maxDoubles = 8

// settlement is what becomes of an account.
type settlement struct {
	change            // of its contract
	was, is  standing // without account and contract
	fate     fate
	unlisted []EntryID // entries that have nothing any more
}

// fate says what became of the account, beside its contract.
type fate byte

const (
	same     fate = iota
	vanished      // its entry is gone: its grace begins
	returned      // its entry is there again
	replaced      // it belongs to another entry now, another contract of the ISP
	ended         // it has no contract any more
)

// touches tells whether anything has to be written.
func (s *settlement) touches() bool {
	return s.kind.writes() || s.was.owned != s.is.owned || s.was.owner != s.is.owner || !slices.EqualFunc(s.was.doubles, s.is.doubles, sameDouble)
}

func sameDouble(a, b double) bool { return a.id == b.id && bytes.Equal(a.contract, b.contract) }

// candidate is an entry that may have the account.
type candidate struct {
	double
	told bool
}

// rules are those of one application.
type rules struct {
	full  bool  // what was not told is not there
	grace bool  // a contract whose entry is gone stays for a while
	now   int64 // nanoseconds since 1970
}

// settle decides whom an account belongs to and with what contract. It is pure.
//
// An entry that is there keeps the account before others that claim it, unless
// it is closed and another one is not: that is how a contract looks that was
// closed and opened anew under the same login. Between equals the least id
// wins, so that every comparison ends the same.
func (r rules) settle(st standing, claims []claim) settlement {
	living, lost := r.living(st, claims)
	out := settlement{change: change{kind: unchanged, key: st.account, before: st.contract, after: st.contract}, was: st, is: st}
	if st.contract == nil {
		out.kind = kept
	}
	if len(living) == 0 {
		out.is.doubles = nil
		r.abandon(&out, st, lost)
		return out
	}
	winner := slices.MinFunc(living, func(a, b candidate) int { return compareCandidates(st, a, b) })
	out.is.owned, out.is.owner = true, owner{id: winner.id}
	out.is.doubles = nil
	for _, c := range living {
		if c.id != winner.id && len(out.is.doubles) < maxDoubles {
			out.is.doubles = append(out.is.doubles, c.double)
		}
	}
	out.award(st, winner)
	out.unlisted = left(st, living, lost)
	return out
}

// left are the entries that had to do with the account and are not there any
// more.
func left(st standing, living []candidate, lost map[EntryID]verdict) (ids []EntryID) {
	had := make([]EntryID, 0, 1+len(st.doubles))
	if st.owned {
		had = append(had, st.owner.id)
	}
	for _, d := range st.doubles {
		had = append(had, d.id)
	}
	for _, id := range had {
		there := slices.ContainsFunc(living, func(c candidate) bool { return c.id == id })
		if what, told := lost[id]; !there && !(told && what == dropped) {
			ids = append(ids, id)
		}
	}
	return ids
}

// award gives the account to the winner.
func (s *settlement) award(st standing, winner candidate) {
	s.after = winner.contract
	switch {
	case winner.contract == nil: // it stays, and its contract was taken away by other hands
		s.after = st.contract
	case st.contract == nil:
		s.kind = added
	case !bytes.Equal(st.contract, winner.contract):
		s.kind = changed
	}
	switch {
	case st.owned && st.owner.id != winner.id:
		s.fate = replaced
		if s.kind == unchanged {
			s.kind = changed // into that of another one, which happens to be equal
		}
	case st.owned && st.owner.missing != 0:
		s.fate = returned
	}
}

// abandon is for an account that no entry has.
func (r rules) abandon(s *settlement, st standing, lost map[EntryID]verdict) {
	for _, d := range st.doubles {
		s.unlisted = append(s.unlisted, d.id)
	}
	what, told := lost[st.owner.id]
	switch {
	case !st.owned:
	case told && what == dropped || !r.grace && st.owner.missing == 0:
		s.is.owned, s.is.owner, s.fate = false, owner{}, ended
		if st.contract != nil {
			s.kind, s.after = deleted, nil
		}
		if !told || what != dropped {
			s.unlisted = append(s.unlisted, st.owner.id)
		}
	case st.owner.missing == 0:
		s.is.owner.missing, s.fate = r.now, vanished
	}
}

// living are the entries that have the account after the claims; lost says why
// others do not.
func (r rules) living(st standing, claims []claim) (living []candidate, lost map[EntryID]verdict) {
	lost = map[EntryID]verdict{}
	if st.owned && st.owner.missing == 0 {
		living = append(living, candidate{double{st.owner.id, st.contract}, false})
	}
	for _, d := range st.doubles {
		living = append(living, candidate{d, false})
	}
	for _, c := range claims {
		at := slices.IndexFunc(living, func(k candidate) bool { return k.id == c.id })
		switch {
		case c.what == claimed && at >= 0:
			living[at] = candidate{double{c.id, c.contract}, true}
		case c.what == claimed:
			living = append(living, candidate{double{c.id, c.contract}, true})
		case c.what == stays && at >= 0:
			living[at].told = true
		case c.what == stays && st.owned && st.owner.id == c.id:
			living = append(living, candidate{double{c.id, st.contract}, true})
		case c.what == gone || c.what == dropped:
			lost[c.id] = c.what
			if at >= 0 {
				living = slices.Delete(living, at, at+1)
			}
		}
	}
	if r.full {
		living = slices.DeleteFunc(living, func(k candidate) bool { return !k.told })
	}
	return living, lost
}

// compareCandidates puts the entry first that the account belongs to.
func compareCandidates(st standing, a, b candidate) int {
	if x, y := isClosed(st.account, a.contract), isClosed(st.account, b.contract); x != y {
		return order(y)
	}
	if x, y := st.owned && a.id == st.owner.id, st.owned && b.id == st.owner.id; x != y {
		return order(x)
	}
	return bytes.Compare(a.id[:], b.id[:])
}

// order is that of two of which the first one is meant, or the other.
func order(first bool) int {
	if first {
		return -1
	}
	return 1
}

func isClosed(account, contract []byte) bool {
	if contract == nil {
		return false
	}
	c, err := decodeContract(string(account), contract)
	return err == nil && engine.Fold(c.Status) == "closed"
}
