package engine

import "time"

// Ended names the rules that are over in every area and so decide nothing from now on, in their order.
func Ended(p *Policy, now time.Time) []string {
	var names []string
	for i := range p.rules {
		if p.rules[i].ended(now) {
			names = append(names, p.rules[i].name)
		}
	}
	return names
}

func (s *schedule) ended(now time.Time) bool {
	over := func(w window) bool { return !w.until.IsZero() && !now.Before(w.until) }
	for _, w := range s.byArea {
		if !over(w) {
			return false
		}
	}
	return over(s.everywhere) || s.onlyAreas
}
