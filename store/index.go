package store

import (
	"hash/maphash"
	"math/bits"
	"unsafe"

	"golang.org/x/sys/unix"

	"sekisho/engine"
)

// index finds contracts in memory: by a hash of the account the number of a row,
// of which there are as many as courses, areas and options together. To descend
// the tree of a million contracts in the file costs a dozen cache misses, and
// this one or two.
//
// An account that has no contract is taken for one that has when all 64 bits of
// their hashes are the same: among ten million contracts in one of 10^12 such
// look-ups. The hash is keyed anew in every process, so nobody can look for such
// a name.
//
// It takes 15 octets a contract, outside of Go's heap: the collector need not
// wait for garbage of its size to gather. It is read by whoever holds a reader
// and written while readers are barred, or before anybody knows of it.
type index struct {
	seed  maphash.Seed
	slots [][slotWords]uint32
	used  int // slots that are not free
	rows  []engine.Contract
	byRow map[string]uint32 // octets in the file: number
}

// slotWords are the hash in two and the number of a row.
const slotWords = 3

// The numbers that are no row.
const (
	rowFree  uint32 = iota // the slot is free
	rowNone                // the account has no contract any more
	rowAsk                 // look in the file: the row is an odd one
	firstRow               // the number of rows[0]
)

// newIndex makes one with room for a quarter more than n accounts.
func newIndex(n int) (*index, error) {
	slots := n + n/4 + 64
	octets, err := unix.Mmap(-1, 0, indexBytes(n), unix.PROT_READ|unix.PROT_WRITE, unix.MAP_PRIVATE|unix.MAP_ANON)
	if err != nil {
		return nil, err
	}
	_ = unix.Madvise(octets, unix.MADV_HUGEPAGE) // a look-up should not miss the page as well
	words := unsafe.Slice((*[slotWords]uint32)(unsafe.Pointer(&octets[0])), slots)
	return &index{seed: maphash.MakeSeed(), slots: words, byRow: map[string]uint32{}}, nil
}

// indexBytes is what an index for n accounts takes.
func indexBytes(n int) int { return (n + n/4 + 64) * slotWords * 4 }

// free gives the memory back; the index must not be used any more.
func (x *index) free() {
	octets := unsafe.Slice((*byte)(unsafe.Pointer(&x.slots[0])), len(x.slots)*slotWords*4)
	x.slots = nil
	_ = unix.Munmap(octets) // of a mapping of ours
}

// contract tells what the index knows of a folded account: a row that many have,
// without the account; nil: there is none. Asking is whether only the file knows.
func (x *index) contract(account string) (row *engine.Contract, ask bool) {
	switch n := x.slots[x.find(maphash.String(x.seed, account))][2]; n {
	case rowFree, rowNone:
		return nil, false
	case rowAsk:
		return nil, true
	default:
		return &x.rows[n-firstRow], false
	}
}

// find is the slot of a hash, or the free one where it would be.
func (x *index) find(hash uint64) int {
	high, _ := bits.Mul64(hash, uint64(len(x.slots)))
	for at := int(high); ; at++ {
		if at == len(x.slots) {
			at = 0
		}
		s := &x.slots[at]
		if s[2] == rowFree || uint64(s[0])|uint64(s[1])<<32 == hash {
			return at
		}
	}
}

// add puts an account that it does not have. Two that have one hash are both
// looked up in the file.
func (x *index) add(account, row []byte) (ok bool) {
	hash := maphash.Bytes(x.seed, account)
	number := x.number(string(account), row)
	if x.slots[x.find(hash)][2] != rowFree {
		number = rowAsk
	}
	return x.put(hash, number)
}

// set puts what became of an account; the row is nil where it has none.
func (x *index) set(account, row []byte) (ok bool) {
	hash, number := maphash.Bytes(x.seed, account), rowNone
	if row != nil {
		number = x.number(string(account), row)
	}
	if x.slots[x.find(hash)][2] == rowAsk {
		number = rowAsk // it may be that of two
	}
	return x.put(hash, number)
}

// put is refused when there is little room left: searches would be long.
func (x *index) put(hash uint64, number uint32) (ok bool) {
	s := &x.slots[x.find(hash)]
	if s[2] == rowFree {
		if x.used++; x.used > len(x.slots)-len(x.slots)/16-1 {
			return false
		}
	}
	s[0], s[1], s[2] = uint32(hash), uint32(hash>>32), number
	return true
}

// number is that of a row. Only the file has rows that are broken, that spell the
// account themselves, and more than maxRows different ones.
func (x *index) number(account string, row []byte) uint32 {
	if n, ok := x.byRow[string(row)]; ok {
		return n
	}
	c, err := decodeContract(account, row)
	if err != nil || c.Account != account || len(x.rows) == maxRows {
		return rowAsk
	}
	c.Account = ""
	x.rows = append(x.rows, c)
	n := firstRow + uint32(len(x.rows)-1)
	x.byRow[string(row)] = n
	return n
}
