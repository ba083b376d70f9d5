package engine

import "slices"

// joined are flips of which those that differ in one of area, login and request only are one.
func joined(flips []Flip) []Flip {
	flips = joinBy(flips, func(f *Flip) *[]string { return &f.Areas })
	flips = joinBy(flips, func(f *Flip) *[]string { return &f.Logins })
	return joinBy(flips, func(f *Flip) *[]string { return &f.Requests })
}

func joinBy(flips []Flip, list func(*Flip) *[]string) []Flip {
	var all []Flip
	for _, f := range flips {
		i := slices.IndexFunc(all, func(j Flip) bool {
			mine, other := f, j
			*list(&mine), *list(&other) = nil, nil
			return mine.same(&other)
		})
		if i < 0 {
			all = append(all, f)
			continue
		}
		into := list(&all[i])
		for _, v := range *list(&f) {
			if !slices.Contains(*into, v) {
				*into = append(slices.Clip(*into), v)
			}
		}
	}
	return all
}

func (f *Flip) same(g *Flip) bool {
	return f.From == g.From && f.FromRule == g.FromRule && f.To == g.To && f.ToRule == g.ToRule &&
		slices.Equal(f.Logins, g.Logins) && slices.Equal(f.Areas, g.Areas) && slices.Equal(f.Requests, g.Requests)
}
