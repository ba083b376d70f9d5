package radius

import (
	"bytes"
	"encoding/binary"
)

// keptAnswer is an answer as it is kept for retransmissions of its request: as
// octets, without pointers. At the rates of a busy proxy hundreds of thousands
// are kept, and the garbage collector has nothing to follow in them.
type keptAnswer []byte

// Where the parts of a kept answer begin. Behind them stand the key of the
// request, as appendKey writes it, and the answer.
const (
	keptHash          = 0  // of the key
	keptGiven         = 8  // when: ns, from when the cache began
	keptSerial        = 16 // of the transaction
	keptLength        = 24 // of the request
	keptKeyLen        = 26
	keptReplyLen      = 28
	keptAuthenticator = 30 // of the request
	keptKey           = keptAuthenticator + authenticatorLen
)

func (k keptAnswer) hash() uint64   { return binary.NativeEndian.Uint64(k[keptHash:]) }
func (k keptAnswer) given() int64   { return int64(binary.NativeEndian.Uint64(k[keptGiven:])) }
func (k keptAnswer) serial() uint64 { return binary.NativeEndian.Uint64(k[keptSerial:]) }
func (k keptAnswer) reply() []byte  { return k[keptKey+k.number(keptKeyLen):] }
func (k keptAnswer) number(at int) int {
	return int(binary.NativeEndian.Uint16(k[at:]))
}

// answers reports whether it is the answer to this request, which has that key.
func (k keptAnswer) answers(request packet, key []byte) bool {
	return k.number(keptLength) == len(request) &&
		bytes.Equal(k[keptAuthenticator:keptKey], request.authenticator()) &&
		bytes.Equal(k[keptKey:keptKey+k.number(keptKeyLen)], key)
}

// fill writes one down; it is as long as keptLen says.
func (k keptAnswer) fill(t *transaction, given int64, key []byte) {
	binary.NativeEndian.PutUint64(k[keptHash:], t.hash)
	binary.NativeEndian.PutUint64(k[keptGiven:], uint64(given))
	binary.NativeEndian.PutUint64(k[keptSerial:], t.serial)
	binary.NativeEndian.PutUint16(k[keptLength:], uint16(len(t.request)))
	binary.NativeEndian.PutUint16(k[keptKeyLen:], uint16(len(key)))
	binary.NativeEndian.PutUint16(k[keptReplyLen:], uint16(len(t.reply)))
	copy(k[keptAuthenticator:], t.request.authenticator())
	copy(k[keptKey:], key)
	copy(k[keptKey+len(key):], t.reply)
}

// shelf is the answers that are kept, one behind the other in pages: the first
// that came is the first to go. Of answers to one key the last is found; of keys
// with one hash, of which there are hardly ever two, the last one's.
type shelf struct {
	places map[uint64]place // by hash
	pages  [][]byte
	base   uint32 // number of the first page
	begin  int    // of the first answer in it
	spare  []byte // a page that is used again
	grown  bool   // there has been more than one page
}

// place is where an answer stands.
type place struct {
	page   uint32
	offset uint16
	mark   uint16 // of the request's authenticator: most of what is not meant is not even looked at
}

func markOf(request packet) uint16 { return binary.NativeEndian.Uint16(request.authenticator()) }

// pageSize is room for a hundred usual answers, and for any one.
const pageSize = 16 << 10

// put keeps the answer to a transaction, which was given after those that are
// kept already, or by the time of a decision before.
func (s *shelf) put(t *transaction, given int64, key []byte) {
	length := keptKey + len(key) + len(t.reply)
	last := len(s.pages) - 1
	if last < 0 || len(s.pages[last])+length > pageSize {
		s.grown = last >= 0
		s.pages = append(s.pages, s.page())
		last++
	}
	offset := len(s.pages[last])
	s.pages[last] = s.pages[last][:offset+length]
	keptAnswer(s.pages[last][offset:]).fill(t, given, key)
	if t.obsolete {
		return // it takes room until it is forgotten, but nobody can ask for it
	}
	if s.places == nil {
		s.places = map[uint64]place{}
	}
	s.places[t.hash] = place{s.base + uint32(last), uint16(offset), markOf(t.request)}
}

func (s *shelf) page() []byte {
	if page := s.spare; page != nil {
		s.spare = nil
		return page
	}
	return make([]byte, 0, pageSize)
}

// find returns the answer to a request with that key, nil when there is none.
// It is the shelf's memory.
func (s *shelf) find(hash uint64, request packet, key []byte) keptAnswer {
	at, there := s.places[hash]
	if !there || at.mark != markOf(request) {
		return nil
	}
	if k := s.at(at); k.answers(request, key) {
		return k
	}
	return nil
}

func (s *shelf) at(p place) keptAnswer {
	k := keptAnswer(s.pages[p.page-s.base][p.offset:]) // numbers begin anew after the last one
	return k[:keptKey+k.number(keptKeyLen)+k.number(keptReplyLen)]
}

// expire takes those away that were given up to then, and returns how many.
func (s *shelf) expire(until int64) (gone int) {
	for ; !s.empty(); gone++ {
		k := s.at(place{page: s.base, offset: uint16(s.begin)})
		if k.given() > until {
			break
		}
		if last := s.places[k.hash()]; last.page == s.base && int(last.offset) == s.begin {
			delete(s.places, k.hash())
		}
		s.drop(len(k))
	}
	return gone
}

func (s *shelf) empty() bool { return len(s.pages) == 0 || s.begin == len(s.pages[0]) }

// drop takes the first one away, which is that long. A burst's memory is given
// back after the last one; without a burst it is used again.
func (s *shelf) drop(length int) {
	s.begin += length
	switch {
	case s.begin < len(s.pages[0]):
	case len(s.pages) > 1:
		s.spare = s.pages[0][:0]
		s.pages[0] = nil
		s.pages, s.base, s.begin = s.pages[1:], s.base+1, 0
	case s.grown:
		*s = shelf{}
	default:
		s.pages[0], s.begin = s.pages[0][:0], 0
	}
}
