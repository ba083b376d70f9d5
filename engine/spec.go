package engine

import "time"

// Spec is a policy as plain values, before names are resolved. Field names follow the keys of a policy file.
type Spec struct {
	Name            string
	Location        *time.Location // nil means UTC; only used to show times
	Logins          []LoginSpec
	CourseNames     CourseNames
	Courses         []Course
	Actions         []Action
	Rules           []RuleSpec
	Otherwise       string
	UnknownContract string
	Remedies        []Remedy
	Hosts           []Host
}

// LoginSpec is one way to read a User-Name: "f.{account}@isp.example"; {realm} stands for any realm.
type LoginSpec struct{ Match, Form string }

// RuleSpec is one rule.
type RuleSpec struct {
	Name        string
	When        Condition
	From, Until Timing
	Then        string
	Because     Text
	Remedies    []string
}

// Timing is a bound of a rule: not set, an instant, planned, or one of these for each area.
type Timing struct {
	At      time.Time
	Planned bool
	Areas   []AreaTiming
}

// AreaTiming is the bound in one area.
type AreaTiming struct {
	Area    string
	At      time.Time
	Planned bool
}

// Set says whether the bound was given at all.
func (t Timing) Set() bool { return t.Planned || !t.At.IsZero() || t.Areas != nil }

// Condition is what a rule asks. A list means any of its values, several keys mean all of them; Not must not hold.
type Condition struct {
	Course   []string // courses in any spelling, or groups
	Form     []string
	Realm    []string
	Address  []string // dynamic, fixed, simple-fixed
	Option   []string
	Segment  []string
	Status   []string // active, suspended, closed
	Area     []string // the NAS's
	NAS      []string
	Contract string // "unknown" for rules about accounts without a contract; "known" and empty mean the others
	Request  []Wanted
	Not      *Condition
}

// Wanted is a request attribute and the values that will do.
type Wanted struct {
	Name   string
	Values []string
}

// A Fault is a mistake in a Spec. Path leads to it in the words of a policy file (string keys, int list indexes).
// Word, where set, is a word that is not among Known; whoever prints the fault can suggest the nearest.
type Fault struct {
	Path    []any
	Text    string
	Word    string
	Known   []string
	Warning bool
}
