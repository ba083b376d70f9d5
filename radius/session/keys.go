package session

import (
	"hash/maphash"
	"iter"
	"slices"
)

// keys lead from what a record tells to the logins that it may be about, by
// their numbers. Nearly every key leads to one; the others stand in a map of
// their own. Different things may have one key, though hardly ever: who finds a
// login by it has to look.
type keys struct {
	first   map[key]uint32
	further map[key][]uint32
}

func newKeys() keys { return keys{map[key]uint32{}, map[key][]uint32{}} }

// key stands for a session at a router, or for a User-Name there.
type key uint32

func sessionKey[T ~string | ~[]byte](nas string, box, session T) key {
	return keyOf('s', nas, box, session)
}

func nameKey[T ~string | ~[]byte](nas string, box, name T) key {
	return keyOf('n', nas, box, name)
}

var (
	seed   = maphash.MakeSeed() // keeps who chooses texts from choosing keys
	keyCut = ^key(0)            // what remains of a key; less in a test
)

func keyOf[T ~string | ~[]byte](kind byte, nas string, box, text T) key {
	var room [256]byte
	all := append(room[:0], kind)
	all = append(append(all, nas...), 0)
	all = append(append(all, box...), 0)
	return key(maphash.Bytes(seed, append(all, text...))) & keyCut
}

func (k *keys) add(of key, number uint32) {
	if _, taken := k.first[of]; !taken {
		k.first[of] = number
		return
	}
	k.further[of] = append(k.further[of], number)
}

// remove takes out a login that the key leads to.
func (k *keys) remove(of key, number uint32) {
	further := k.further[of]
	switch {
	case k.first[of] != number:
		at := slices.Index(further, number) // near the front: the oldest go first
		further = slices.Delete(further, at, at+1)
	case len(further) == 0:
		delete(k.first, of)
		return
	default:
		k.first[of], further = further[0], further[1:]
	}
	if len(further) == 0 {
		delete(k.further, of)
		return
	}
	k.further[of] = further
}

// all yields the logins that a key leads to, the oldest first. One may be
// removed if that ends the loop.
func (k *keys) all(of key) iter.Seq[uint32] {
	return func(yield func(uint32) bool) {
		number, ok := k.first[of]
		if !ok || !yield(number) {
			return
		}
		for _, number := range k.further[of] {
			if !yield(number) {
				return
			}
		}
	}
}
