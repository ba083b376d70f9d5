package yamldoc

import (
	"encoding"
	"math"
	"net/netip"
	"strconv"
	"strings"
	"time"
)

// A Scalar is a value with a spelling of its own: the pointer to its type reads the spelling, Expected completes
// the sentence "expected ..." for the operator, for example "a duration such as 5s". Numbers reach UnmarshalText
// as they are written in the file.
type Scalar interface {
	encoding.TextUnmarshaler
	Expected() string
}

// Duration is a time.Duration in Go's syntax, 300ms, 5s, 1h30m, or a number of days of 24 hours: 90d.
type Duration time.Duration

// maxDays is how many days a time.Duration holds.
const maxDays = math.MaxInt64 / int64(24*time.Hour)

// UnmarshalText reads Go's duration syntax, or days.
func (d *Duration) UnmarshalText(text []byte) error {
	if days, ok := strings.CutSuffix(string(text), "d"); ok {
		n, err := strconv.ParseUint(days, 10, 31)
		if err == nil && int64(n) > maxDays {
			err = strconv.ErrRange
		}
		*d = Duration(time.Duration(n) * 24 * time.Hour)
		return err
	}
	v, err := time.ParseDuration(string(text))
	*d = Duration(v)
	return err
}

// Expected describes the spelling to an operator.
func (Duration) Expected() string { return "a duration such as 5s, 1h30m or 90d" }

// Addr is an IP address of either family.
type Addr struct{ netip.Addr }

// UnmarshalText reads an address; unlike netip.Addr's own it refuses the empty string.
func (a *Addr) UnmarshalText(text []byte) error {
	v, err := netip.ParseAddr(string(text))
	a.Addr = v
	return err
}

// Expected describes the spelling to an operator.
func (Addr) Expected() string { return "an IP address such as 192.0.2.1 or 2001:db8::1" }

// Prefix is an IP prefix; a bare address means that one address (/32 or /128). Bits beyond the length must be zero.
type Prefix struct{ netip.Prefix }

// UnmarshalText reads a prefix or a bare address.
func (p *Prefix) UnmarshalText(text []byte) error {
	if !strings.Contains(string(text), "/") {
		a, err := netip.ParseAddr(string(text))
		if err == nil {
			p.Prefix, err = a.Prefix(a.BitLen())
		}
		return err
	}
	v, err := netip.ParsePrefix(string(text))
	if err == nil && v != v.Masked() {
		return hostBits{v.Masked()}
	}
	p.Prefix = v
	return err
}

// Expected describes the spelling to an operator.
func (Prefix) Expected() string {
	return "an IP address or prefix such as 192.0.2.0/24 or 2001:db8::/32"
}

type hostBits struct{ masked netip.Prefix }

func (e hostBits) Error() string { return "bits are set beyond the prefix length" }

// Hint is added to the message of the wrong value.
func (e hostBits) Hint() string { return "the prefix itself is " + e.masked.String() }

// List is a list that may be written as its only element: `course: a` for `course: [a]`.
type List[T any] []T

// Strings is one string or a list of them.
type Strings = List[string]

func (List[T]) oneOrMany() {}

// Map is a mapping that keeps the order of the file; lists of actions, for one, mean something by their order.
type Map[V any] []Entry[V]

// Entry is one key of a Map with its value.
type Entry[V any] struct {
	Key   string
	Value V
}

func (Map[V]) ordered() {}

// Get returns the value of a key; the first one, should the file have written it twice.
func (m Map[V]) Get(key string) (V, bool) {
	for _, e := range m {
		if e.Key == key {
			return e.Value, true
		}
	}
	var none V
	return none, false
}

// Keys lists the keys in file order.
func (m Map[V]) Keys() []string {
	keys := make([]string, len(m))
	for i, e := range m {
		keys[i] = e.Key
	}
	return keys
}
