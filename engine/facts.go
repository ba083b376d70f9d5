package engine

import "time"

// Facts are all that a decision rests on. Every spelling in them is folded where it is compared (see Fold), so the
// contract may hold its directory's own words. Facts are only read.
type Facts struct {
	Login     Login
	Contract  *Contract // nil: the account is not known
	NAS       NAS
	Request   []Attribute
	Overrides []Override // those of this account; others must be left out
	Stages    []string   // names of rules pretended to be in force whatever their dates

	known Contract // see Know
}

// Know fills in what was sold to an account, as a copy with that account in it; nil: it is not known. The copy lies in
// the facts themselves, so that facts which are used again need no memory for it: whoever keeps Contract beyond the next
// Know copies it. The options are those of c.
func (f *Facts) Know(c *Contract, account string) {
	if c == nil {
		f.Contract = nil
		return
	}
	f.known = *c
	f.known.Account = account
	f.Contract = &f.known
}

// Contract is what the ISP sold to an account.
type Contract struct {
	Account string
	Course  string // any spelling of a course the policy names
	Address string // dynamic, fixed, simple-fixed; empty means dynamic
	Area    string // the subscriber's; never asked, since the session's area is the NAS's
	Segment string
	Options []string
	Status  string
}

// NAS is the router a session arrives at.
type NAS struct{ Name, Area string }

// Attribute is a request attribute in dictionary spelling; values without a name are decimal numbers.
// One attribute may stand in a request several times.
type Attribute struct{ Name, Value string }

// Override is an action set on one account by hand. It holds in [From, Until), zero times are unbounded; Area and NAS
// narrow it to sessions there. An action that the policy does not have makes it void.
type Override struct {
	ID          string
	Action      string
	From, Until time.Time
	Reason      string
	Area, NAS   string
}

// Decision is the answer for one session: the action that holds and the rule that won, a rule of the policy or
// ByOverride, ByUnknownContract, ByOtherwise.
type Decision struct {
	Action, Rule string
	Override     string    // ID of the override that won; empty when none did
	Until        time.Time // the first instant at which action or rule changes if the facts stay; zero for never
	Trace        []Step    // only from Explain
}

// The winners that are not rules of the policy; no rule may take these names.
const (
	ByOverride        = "override"
	ByUnknownContract = "unknown-contract"
	ByOtherwise       = "otherwise"
)
