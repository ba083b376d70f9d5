package engine

import "time"

// View is one side of an impact: a policy on a day, with stages pretended.
type View struct {
	Policy *Policy
	At     time.Time
	Stages []string
}

// Impact finds out what differs for contracts between two views: who changes from what to what, in which login form and
// area. It is fed contract by contract, and its memory does not grow with their number. It is not for several
// goroutines at once.
type Impact struct {
	from, to View
	contexts []context
	known    map[string][]Flip // by all of a contract that a policy may ask about
	counts   counts
}

// Flip is a change of action in some sessions of an account.
type Flip struct {
	From     string
	FromRule string
	To       string
	ToRule   string
	Tighter  bool     // rather than looser, by the policy that comes
	Logins   []string // patterns of login that are concerned
	Areas    []string // of the NASes that are concerned; "" for none
	Requests []string
}

// maxKnown bounds how many different contracts are remembered; an ISP has some hundred.
const maxKnown = 1 << 12

// NewImpact compares two views for sessions at these NASes, at least one.
func NewImpact(from, to View, nases []NAS) *Impact {
	contexts := contextsOf(from.Policy, to.Policy, nases)
	return &Impact{from: from, to: to, contexts: contexts, known: map[string][]Flip{}, counts: newCounts(contexts)}
}

// Add looks at one more contract with the overrides of its account, and returns what changes for it, nothing for most.
// The caller must not change the result.
func (i *Impact) Add(c *Contract, overrides ...Override) []Flip {
	flips := i.flips(c, overrides)
	i.counts.contracts++
	if len(flips) > 0 {
		i.counts.add(i.course(c), flips)
	}
	return flips
}

// flips remembers the answer for contracts that differ in nothing but the account.
func (i *Impact) flips(c *Contract, overrides []Override) []Flip {
	if len(overrides) > 0 {
		return i.compare(c, overrides)
	}
	var room [256]byte
	key := appendKey(room[:0], c)
	flips, ok := i.known[string(key)]
	if !ok {
		if len(i.known) == maxKnown {
			clear(i.known)
		}
		flips = i.compare(c, nil)
		i.known[string(key)] = flips
	}
	return flips
}

func appendKey(key []byte, c *Contract) []byte {
	for _, s := range [4]string{c.Course, c.Address, c.Segment, c.Status} {
		key = append(append(key, s...), 0)
	}
	for _, o := range c.Options {
		key = append(append(key, o...), 0)
	}
	return key
}

func (i *Impact) compare(c *Contract, overrides []Override) []Flip {
	var found []Flip
	for n := range i.contexts {
		ctx := &i.contexts[n]
		from, to := i.from.decide(ctx, ctx.from, c, overrides), i.to.decide(ctx, ctx.to, c, overrides)
		if from.Action != to.Action {
			found = append(found, Flip{
				From: from.Action, FromRule: from.Rule, To: to.Action, ToRule: to.Rule,
				Tighter: i.tighter(to.Action, from.Action), Logins: []string{ctx.login}, Areas: []string{ctx.nas.Area}, Requests: ctx.line,
			})
		}
	}
	return joined(found)
}

// tighter compares by the policy that comes; an action that only the one before knew is looser than none.
func (i *Impact) tighter(a, b string) bool {
	if i.to.Policy.rank(b) < 0 {
		return i.from.Policy.rank(a) > i.from.Policy.rank(b)
	}
	return i.to.Policy.Tighter(a, b)
}

func (v *View) decide(ctx *context, r reading, c *Contract, overrides []Override) Decision {
	f := Facts{Login: r.login, NAS: ctx.nas, Request: ctx.request, Stages: v.Stages}
	if r.account {
		f.Contract, f.Overrides = c, overrides
	}
	return Decide(v.Policy, &f, v.At)
}

// course is the id of a contract's course, by the policy before or else by the one that comes.
func (i *Impact) course(c *Contract) string {
	course, ok := i.from.Policy.Course(c.Course)
	if !ok {
		course, _ = i.to.Policy.Course(c.Course)
	}
	return course.ID
}
