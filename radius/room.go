package radius

// room is where the memory for requests comes from: many at a time, since they
// come and go in the order of their arrival, and to allocate a dozen small
// things for each costs more than to fill them in. It goes back to the
// collector when nothing refers to any of a lot. It belongs to one listener's
// goroutine.
type room struct {
	transactions lot[transaction]
	attempts     lot[attempt]
	octets       octets // as they came, and as they are sent on
}

// lotSize is how many are allocated at once. One that lives long, as where its
// server keeps silent, keeps the others of its lot in memory and what hangs on
// them: with 8 some 12 KiB, with 32 four times that, and hardly any faster.
const lotSize = 8

type lot[T any] struct{ rest []T }

// next returns a zero value that nobody else has.
func (l *lot[T]) next() *T {
	if len(l.rest) == 0 {
		l.rest = make([]T, lotSize)
	}
	t := &l.rest[0]
	l.rest = l.rest[1:]
	return t
}

type octets struct{ rest []byte }

// octetsSize is room for some eight usual packets.
const octetsSize = 2 << 10

// next returns an empty slice with that capacity.
func (o *octets) next(capacity int) []byte {
	if capacity > octetsSize/2 {
		return make([]byte, 0, capacity)
	}
	if capacity > len(o.rest) {
		o.rest = make([]byte, octetsSize)
	}
	b := o.rest[:0:capacity]
	o.rest = o.rest[capacity:]
	return b
}
