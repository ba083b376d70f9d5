package dict

import (
	"bytes"
	"fmt"
	"slices"
	"strings"

	"sekisho/engine/yamldoc"

	"layeh.com/radius/dictionary"
)

// Sayings are the attributes that say an action, by name. In their texts
// "{filter}", "{pool}" and "{action}" stand for those of the action.
type Sayings map[string]yamldoc.Strings

// ProfileSpec is a profile as it is written, in a shipped file or in the
// operator's site file.
type ProfileSpec struct {
	Base       string             `yaml:"base,omitempty" jsonschema:"description=the shipped profile this one starts from"`
	For        string             `yaml:"for,omitempty" jsonschema:"description=the routers this profile speaks to"`
	Filtered   Sayings            `yaml:"filtered,omitempty" jsonschema:"description=attributes for an action that has a filter"`
	Unfiltered Sayings            `yaml:"unfiltered,omitempty" jsonschema:"description=attributes for an action without a filter"`
	Actions    map[string]Sayings `yaml:"actions,omitempty" jsonschema:"description=attributes for single actions by name instead of the two above"`
	Conflict   Conflict           `yaml:"conflict,omitempty" jsonschema:"enum=replace,enum=replace-ours,enum=append,enum=keep,description=what becomes of such an attribute that the AAA already sent"`
	Fail       string             `yaml:"fail,omitempty" jsonschema:"description=when no decision can be made: the action to say or drop"`
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

// Action is what a profile needs to know of a policy's action.
type Action struct{ Name, Filter, Pool string }

// told reports whether a router has to be told the action by name.
func (a Action) told() bool { return a.Filter != "" || a.Pool != "" }

// Profile is a profile compiled for the actions of one policy: the ready
// octets for each action. It never changes and may be used concurrently.
type Profile struct {
	Name     string
	Conflict Conflict
	Fail     string // name of an action, or FailDrop

	login map[string]Saying
	owned []ownership
}

// Saying is how one action is said: complete attributes as they stand in a
// packet, and the same as text for people.
type Saying struct {
	Wire []byte
	Text []string // Filter-Id = "op25b.in"
}

// ownership recognises an attribute that this profile may send.
type ownership struct {
	key    Key
	prefix []byte            // of AV pairs: the key before = or #; nil for plain attributes
	ours   map[string]string // values that an action of this policy sends -> action
}

// CompileProfile compiles a profile for the actions of a policy, loosest
// first. The errors name each action that it cannot say, and why.
func CompileProfile(d *Dictionary, name string, spec ProfileSpec, actions []Action) (*Profile, []error) {
	p := &Profile{Name: name, Conflict: spec.Conflict, Fail: spec.Fail, login: map[string]Saying{}}
	if p.Conflict == "" {
		p.Conflict = Replace
	}
	if p.Fail == "" {
		p.Fail = defaultFail
	}
	errs := spec.check(actions)
	for i, action := range actions {
		saying, err := p.compile(d, spec.sayings(action), action)
		if err == nil && i > 0 && len(saying.Wire) == 0 {
			err = fmt.Errorf("is tighter than %s, and the profile says nothing for it: give it a filter in the policy, or its attributes under actions", actions[0].Name)
		}
		if err != nil {
			errs = append(errs, fmt.Errorf("action %s: %w", action.Name, err))
			continue
		}
		p.login[action.Name] = saying
	}
	return p, errs
}

// check finds what is wrong with a profile as a whole.
func (s ProfileSpec) check(actions []Action) []error {
	known := func(name string) bool {
		return slices.ContainsFunc(actions, func(a Action) bool { return a.Name == name })
	}
	var errs []error
	if s.Fail != "" && s.Fail != FailDrop && !known(s.Fail) {
		errs = append(errs, fmt.Errorf("fail: expected drop or an action of the policy, got %q", s.Fail))
	}
	if s.Fail == "" && !known(defaultFail) {
		errs = append(errs, fmt.Errorf("fail: the policy has no action %q, say which action or drop", defaultFail))
	}
	for name := range s.Actions {
		if !known(name) {
			errs = append(errs, fmt.Errorf("actions: the policy has no action %q", name))
		}
	}
	switch s.Conflict {
	case "", Replace, ReplaceOurs, Append, Keep:
	default:
		errs = append(errs, fmt.Errorf("conflict: expected replace, replace-ours, append or keep, got %q", s.Conflict))
	}
	return errs
}

func (s ProfileSpec) sayings(a Action) Sayings {
	if own, ok := s.Actions[a.Name]; ok {
		return own
	}
	if a.told() {
		return s.Filtered
	}
	return s.Unfiltered
}

// compile renders the attributes of one action, in the order of their names.
func (p *Profile) compile(d *Dictionary, sayings Sayings, action Action) (Saying, error) {
	var said Saying
	fill := strings.NewReplacer("{filter}", action.Filter, "{pool}", action.Pool, "{action}", action.Name)
	if action.told() && len(sayings) == 0 {
		return said, fmt.Errorf("has the filter %q and the profile says nothing for it", action.Filter+action.Pool)
	}
	for _, name := range sortedNames(sayings) {
		attribute, ok := d.Lookup(name)
		if !ok {
			return said, fmt.Errorf("the dictionary has no attribute %q", name)
		}
		if reserved(attribute) {
			return said, fmt.Errorf("%s belongs to the protocol and cannot be injected", attribute.Name)
		}
		for _, template := range sayings[name] {
			if action.Filter == "" && strings.Contains(template, "{filter}") {
				return said, fmt.Errorf("has no filter for %q", template)
			}
			if action.Pool == "" && strings.Contains(template, "{pool}") {
				return said, fmt.Errorf("has no pool for %q", template)
			}
			value, err := attribute.Encode(fill.Replace(template))
			if err != nil {
				return said, err
			}
			if strings.HasSuffix(attribute.Name, "-AVPair") && pairKey(attribute, value) == nil {
				return said, fmt.Errorf("%s: expected KEY=VALUE, got %q: without a key every pair of the AAA's would be taken for ours", attribute.Name, value)
			}
			said.Wire = append(said.Wire, attribute.Wire(value)...)
			said.Text = append(said.Text, attribute.Name+" = "+attribute.Format(value))
			p.own(attribute, value, action.Name)
		}
	}
	return said, nil
}

// reserved are the attributes that a proxy computes or must not touch.
func reserved(a *Attribute) bool {
	if a.Vendor != 0 {
		return a.Cipher != Clear
	}
	switch a.Number {
	case 1, 2, 3, 24, 25, 26, 33, 79, 80:
		return true
	}
	return a.Cipher != Clear
}

func sortedNames(s Sayings) []string {
	names := make([]string, 0, len(s))
	for name := range s {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// own notes that values like this one are ours when they stand in a reply.
func (p *Profile) own(a *Attribute, value []byte, action string) {
	prefix := pairKey(a, value)
	i := slices.IndexFunc(p.owned, func(o ownership) bool {
		return o.key == a.Key && bytes.Equal(o.prefix, prefix)
	})
	if i < 0 {
		i = len(p.owned)
		p.owned = append(p.owned, ownership{key: a.Key, prefix: prefix, ours: map[string]string{}})
	}
	p.owned[i].ours[string(value)] = action
}

// pairKey returns what tells one AV pair from another inside an attribute that
// carries many kinds of them, such as Cisco-AVPair: ip:inacl of
// ip:inacl#10=deny…. Nil for attributes that are no such container.
func pairKey(a *Attribute, value []byte) []byte {
	if a.Kind != dictionary.AttributeString || !strings.HasSuffix(a.Name, "-AVPair") {
		return nil
	}
	if i := bytes.IndexAny(value, "#="); i > 0 {
		return value[:i]
	}
	return nil
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

func (o *ownership) covers(value []byte) bool {
	if o.prefix == nil {
		return true
	}
	rest, ok := bytes.CutPrefix(value, o.prefix)
	return ok && len(rest) > 0 && (rest[0] == '#' || rest[0] == '=')
}
