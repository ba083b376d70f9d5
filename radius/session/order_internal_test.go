package session

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
)

// TestOrderIsThatOfASortedList adds and removes at random, and compares.
func TestOrderIsThatOfASortedList(t *testing.T) {
	t.Parallel()
	for seed := range uint64(4) {
		random := rand.New(rand.NewPCG(seed, 7))
		var o order
		var names []string
		known := map[string]*entry{}
		for range 6000 {
			name := fmt.Sprintf("%05d", random.IntN(4000))
			if e := known[name]; e != nil {
				delete(known, name)
				o.remove(e)
				names = slices.DeleteFunc(names, func(n string) bool { return n == name })
				continue
			}
			known[name] = &entry{acct: name}
			o.add(known[name])
			names = append(names, name)
		}
		slices.Sort(names)
		for _, from := range []string{"", "01999", "02000", "99999"} {
			var got []string
			for e := range o.from(from) {
				got = append(got, e.acct)
			}
			at, _ := slices.BinarySearch(names, from)
			if !slices.Equal(got, names[at:]) {
				t.Errorf("seed %d from %q: %d sessions, want %d", seed, from, len(got), len(names[at:]))
			}
		}
		for _, p := range o.pieces {
			if len(p) == 0 || len(p) > pieceLength {
				t.Errorf("a piece of %d", len(p))
			}
		}
	}
}

// TestPagesLookAtEachSessionOnce turns the pages of filters that leave little
// through, while sessions come and go.
func TestPagesLookAtEachSessionOnce(t *testing.T) {
	t.Parallel()
	table := NewTable(Options{})
	var want []ID
	for i := range 3 * pagePiece {
		r := table.router(place{fmt.Sprintf("bras%d", i%3), []string{"", "box"}[i%2]}, "tokyo")
		e := &entry{acct: fmt.Sprintf("%06d", (i*7919)%100_003)}
		if i%1000 == 0 {
			e.applied = wordOf("block")
			want = append(want, ID{r.nas, r.box, e.acct})
		}
		table.add(r, e)
	}
	slices.SortFunc(want, ID.compare)
	var got []ID
	for after := (ID{}); ; after = got[len(got)-1] {
		page := table.Page(Filter{Action: "block"}, after, 4)
		if len(page) == 0 {
			break
		}
		for _, s := range page {
			got = append(got, s.ID)
		}
		if len(got)%8 == 0 {
			table.remove(table.find(page[len(page)-1].ID)) // a cursor may point to one that is over
		}
	}
	if !slices.Equal(got, want) {
		t.Errorf("got %v\nwant %v", got, want)
	}
}
