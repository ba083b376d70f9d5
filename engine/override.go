package engine

import "time"

// tightest is the index of the override in force that wins, -1 for none; of equals the first.
func (p *Policy) tightest(f *Facts, now time.Time) int {
	best, rank := -1, -1
	for i := range f.Overrides {
		o := &f.Overrides[i]
		if r := p.rank(o.Action); r > rank && o.holds(now) && o.here(f.NAS) {
			best, rank = i, r
		}
	}
	return best
}

func (o *Override) holds(t time.Time) bool {
	return !t.Before(o.From) && (o.Until.IsZero() || t.Before(o.Until))
}

func (o *Override) here(nas NAS) bool {
	return (o.Area == "" || sameFolded(o.Area, nas.Area)) && (o.NAS == "" || sameFolded(o.NAS, nas.Name))
}

// nextChange goes from boundary to boundary until the decision differs from d: an override that ends may leave another
// of the same action in force, and rules change unseen beneath an override.
func (p *Policy) nextChange(s *subject, d Decision, now time.Time) time.Time {
	for t, at := d, now; ; {
		next := earliest(t.Until, s.facts.boundary(at))
		if next.IsZero() {
			return next
		}
		if t = p.at(s, next, nil); t.Action != d.Action || t.Rule != d.Rule {
			return next
		}
		at = next
	}
}

// boundary is the first instant after t at which an override begins or ends.
func (f *Facts) boundary(t time.Time) time.Time {
	var next time.Time
	for i := range f.Overrides {
		for _, b := range [2]time.Time{f.Overrides[i].From, f.Overrides[i].Until} {
			if b.After(t) {
				next = earliest(next, b)
			}
		}
	}
	return next
}
