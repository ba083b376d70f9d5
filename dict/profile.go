package dict

import (
	"bytes"
	"slices"

	"sekisho/engine/yamldoc"
)

// Sayings are the attributes that say an action, by name. In their texts
// "{filter}", "{ipv4}", "{ipv6}", "{rules}", "{pool}" and "{action}" stand for
// those of the action: the name of its filter, that name for each address
// family, the rules of the filter (RFC 4849). ":1" behind a name is the tag of a tagged attribute.
type Sayings map[string]yamldoc.Strings

// ProfileSpec is a profile as it is written, in a shipped file or in the
// operator's site file.
type ProfileSpec struct {
	Base          string             `yaml:"base,omitempty" jsonschema:"description=the shipped profile this one starts from"`
	For           string             `yaml:"for,omitempty" jsonschema:"description=the routers this profile speaks to"`
	Filtered      Sayings            `yaml:"filtered,omitempty" jsonschema:"description=attributes for an action that has a filter"`
	Unfiltered    Sayings            `yaml:"unfiltered,omitempty" jsonschema:"description=attributes for an action without a filter"`
	Actions       map[string]Sayings `yaml:"actions,omitempty" jsonschema:"description=attributes for single actions by name instead of the two above"`
	OpenFilter    string             `yaml:"open-filter,omitempty" jsonschema:"description=name of a filter on the router that permits everything: by CoA an action without a filter is said as this one"`
	Names         NamesSpec          `yaml:"names,omitempty" jsonschema:"description=what filters are called on the router"`
	MostRules     int                `yaml:"most-rules,omitempty" jsonschema:"minimum=1,description=rules that the router takes in {rules}"`
	RateAttribute string             `yaml:"rate-attribute,omitempty" jsonschema:"description=the attribute that the router reads as a rate; none if its shaper was told to read none"`
	CoA           CoASpec            `yaml:"coa,omitempty" jsonschema:"description=how a live session is told"`
	ACL           string             `yaml:"acl,omitempty" jsonschema:"description=the router whose configuration text policy acl prints: the name of a shipped profile"`
	Conflict      Conflict           `yaml:"conflict,omitempty" jsonschema:"enum=replace,enum=replace-ours,enum=append,enum=keep,description=what becomes of such an attribute that the AAA already sent"`
	Fail          string             `yaml:"fail,omitempty" jsonschema:"description=when no decision can be made: the action to say or drop"`
}

// Conflict is what becomes of an attribute of ours that the AAA already sent.
type Conflict string

// The conflict modes.
const (
	Replace     Conflict = "replace"      // ours stand instead of theirs; an action without attributes removes only values that are ours
	ReplaceOurs Conflict = "replace-ours" // values that are ours are replaced, others stay beside them
	Append      Conflict = "append"       // ours are added after theirs, nothing is removed
	Keep        Conflict = "keep"         // where theirs are, ours are not added and nothing is removed
)

// FailDrop is the fail mode in which an Accept is not forwarded, so that the
// NAS asks another server. Every other fail mode is the name of an action.
const FailDrop = "drop"

// defaultFail lets the session up without a filter: whatever breaks here, the
// subscriber is not cut off.
const defaultFail = "open"

// Profile is a profile compiled for the actions of one policy: the ready
// octets for each action. It never changes and may be used concurrently.
type Profile struct {
	Name     string
	Conflict Conflict
	Fail     string   // name of an action, or FailDrop
	Warnings []*Fault // what is allowed and doubtful

	login          map[string]Saying
	coa            map[string]Saying
	silent         map[string]string // action -> why it cannot be said by CoA
	means          map[string]Means
	fallback       Means
	identification Identification
	quirks         Quirks
	owned          []ownership
}

// Saying is how one action is said: complete attributes as they stand in a
// packet, and the same as text for people.
type Saying struct {
	Wire []byte
	Text []string // Filter-Id = "op25b.in"

	// Words are the text in at most 96 octets, cut by a checksum where it is
	// longer: other words are another saying. Never empty.
	Words string

	kinds []ownership // which attributes, one entry for each kind
}

// ownership recognises an attribute that this profile may send.
type ownership struct {
	key    Key
	prefix []byte            // of AV pairs: the key before = or #; nil for plain attributes
	ours   map[string]string // values that an action of this policy sends -> action
}

func (o ownership) same(other ownership) bool {
	return o.key == other.key && bytes.Equal(o.prefix, other.prefix)
}

// Login returns how an action is said in an Access-Accept; false when the
// profile was not compiled for it.
func (p *Profile) Login(action string) (Saying, bool) {
	s, ok := p.login[action]
	return s, ok
}

// Owns reports whether this profile manages the attribute with that number and
// value, and whether the value is one that an action of the policy sends. It
// does not allocate.
func (p *Profile) Owns(k Key, value []byte) (managed, ours bool) {
	for i := range p.owned {
		o := &p.owned[i]
		if o.key != k || !o.covers(value) {
			continue
		}
		_, ours = o.ours[string(value)]
		return true, ours
	}
	return false, false
}

// Manages reports whether this profile manages attributes with that number,
// whatever their values.
func (p *Profile) Manages(k Key) bool {
	return slices.ContainsFunc(p.owned, func(o ownership) bool { return o.key == k })
}

// covers reports whether a value of that attribute is of this kind.
func (o *ownership) covers(value []byte) bool {
	if o.prefix == nil {
		return true
	}
	rest, ok := bytes.CutPrefix(value, o.prefix)
	return ok && len(rest) > 0 && (rest[0] == '#' || rest[0] == '=')
}
