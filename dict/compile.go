package dict

import (
	"bytes"
	"fmt"
	"maps"
	"slices"
	"strings"

	"layeh.com/radius/dictionary"
)

// CompileProfile compiles a profile for the actions of a policy, loosest
// first. Every error is a *Fault that names an action that the profile cannot
// say or a key of it that is wrong, and why; doubts are the profile's Warnings.
func CompileProfile(d *Dictionary, name string, spec ProfileSpec, actions []Action) (*Profile, []error) {
	c := &profileCompiler{
		dictionary: d, spec: spec, actions: actions,
		profile: &Profile{
			Name: name, Conflict: or(spec.Conflict, Replace), Fail: or(spec.Fail, defaultFail),
			login: map[string]Saying{}, coa: map[string]Saying{}, silent: map[string]string{}, means: map[string]Means{},
		},
	}
	c.check()
	c.names()
	for i, action := range actions {
		c.login(i, action)
	}
	c.liveSessions()
	c.profile.putInWords()
	return c.profile, c.errs
}

func or[T comparable](value, otherwise T) T {
	var none T
	if value == none {
		return otherwise
	}
	return value
}

// profileCompiler works out what a profile says, noting every mistake.
type profileCompiler struct {
	dictionary *Dictionary
	spec       ProfileSpec
	actions    []Action
	profile    *Profile
	errs       []error
}

func (c *profileCompiler) fault(path []any, format string, args ...any) {
	c.errs = append(c.errs, faultf(path, format, args...))
}

func (c *profileCompiler) warn(path []any, format string, args ...any) {
	c.profile.Warnings = append(c.profile.Warnings, faultf(path, format, args...))
}

func (c *profileCompiler) knows(action string) bool {
	return slices.ContainsFunc(c.actions, func(a Action) bool { return a.Name == action })
}

// check finds what is wrong with a profile as a whole.
func (c *profileCompiler) check() {
	s := c.spec
	if s.Fail != "" && s.Fail != FailDrop && !c.knows(s.Fail) {
		c.fault([]any{"fail"}, "fail: expected drop or an action of the policy, got %q", s.Fail)
	}
	if s.Fail == "" && !c.knows(defaultFail) {
		c.fault([]any{"fail"}, "fail: the policy has no action %q, say which action or drop", defaultFail)
	}
	c.checkActions([]any{"actions"}, s.Actions)
	c.checkActions([]any{"coa", "actions"}, s.CoA.Actions)
	switch s.Conflict {
	case "", Replace, ReplaceOurs, Append, Keep:
	default:
		c.fault([]any{"conflict"}, "conflict: expected replace, replace-ours, append or keep, got %q", s.Conflict)
	}
	if _, ok := c.dictionary.Lookup(s.RateAttribute); !ok && s.RateAttribute != "" && s.RateAttribute != noRate {
		c.fault([]any{"rate-attribute"}, "rate-attribute: the dictionary has no attribute %q", s.RateAttribute)
	}
}

func (c *profileCompiler) checkActions(path []any, actions map[string]Sayings) {
	for _, name := range slices.Sorted(maps.Keys(actions)) {
		if !c.knows(name) {
			c.fault(at(path, name), "actions: the policy has no action %q", name)
		}
	}
}

// login works out what an Access-Accept says for the i-th action.
func (c *profileCompiler) login(i int, action Action) {
	path, sayings := []any{"unfiltered"}, c.spec.Unfiltered
	if action.told() {
		path, sayings = []any{"filtered"}, c.spec.Filtered
	}
	if own, ok := c.spec.Actions[action.Name]; ok {
		path, sayings = []any{"actions", action.Name}, own
	}
	if action.told() && len(sayings) == 0 {
		c.fault(path, "action %s: has the filter %q and the profile says nothing for it", action.Name, action.name())
		return
	}
	saying, ok := c.say(path, sayings, action)
	if !ok {
		return
	}
	if i > 0 && len(saying.Wire) == 0 {
		c.fault(path, "action %s: is tighter than %s, and the profile says nothing for it: give it a filter in the policy, or its attributes under actions", action.Name, c.actions[0].Name)
		return
	}
	c.profile.login[action.Name] = saying
	c.profile.own(saying)
	c.doubtRules(path, sayings, action)
}

// say renders the attributes of one action, in the order of their names.
// False when there is a mistake in them, which has been noted.
func (c *profileCompiler) say(path []any, sayings Sayings, action Action) (Saying, bool) {
	var said Saying
	fill := c.filler(action)
	for _, name := range slices.Sorted(maps.Keys(sayings)) {
		for i, template := range sayings[name] {
			err := c.sayOne(&said, name, template, fill, action)
			if err != nil {
				c.fault(at(path, name, i), "action %s: %v", action.Name, err)
				return said, false
			}
		}
	}
	return said, true
}

func (c *profileCompiler) sayOne(said *Saying, name, template string, fill *strings.Replacer, action Action) error {
	attribute, tag, err := c.attribute(name)
	if err != nil {
		return err
	}
	if err := fillable(template, action); err != nil {
		return err
	}
	value, err := attribute.Encode(fill.Replace(template))
	if err != nil {
		return err
	}
	if strings.EqualFold(attribute.Name, c.spec.RateAttribute) {
		return fmt.Errorf("%s is the attribute that the router reads as a rate: %q would be taken for one. Say another attribute, or, if its shaper was told to read another one, that one as rate-attribute", attribute.Name, value)
	}
	prefix := pairKey(attribute, value)
	if strings.HasSuffix(attribute.Name, "-AVPair") && prefix == nil {
		return fmt.Errorf("%s: expected KEY=VALUE, got %q: without a key every pair of the AAA's would be taken for ours", attribute.Name, value)
	}
	if value, err = attribute.bounded(attribute.withTag(tag, value)); err != nil {
		return err
	}
	said.add(attribute, prefix, value, action.Name)
	return nil
}

// fillable reports a placeholder for which the action has nothing.
func fillable(template string, action Action) error {
	if action.Pool == "" && strings.Contains(template, "{pool}") {
		return fmt.Errorf("has no pool for %q", template)
	}
	for _, placeholder := range []string{"{filter}", "{ipv4}", "{ipv6}", "{rules}"} {
		if action.Filter == "" && strings.Contains(template, placeholder) {
			return fmt.Errorf("has no filter for %q", template)
		}
	}
	return nil
}

// attribute finds NAME or NAME:TAG.
func (c *profileCompiler) attribute(name string) (*Attribute, byte, error) {
	name, tag, err := cutTag(name)
	if err != nil {
		return nil, 0, err
	}
	attribute, ok := c.dictionary.Lookup(name)
	switch {
	case !ok:
		return nil, 0, fmt.Errorf("the dictionary has no attribute %q", name)
	case reserved(attribute):
		return nil, 0, fmt.Errorf("%s belongs to the protocol and cannot be injected", attribute.Name)
	case tag != 0 && !attribute.Tagged:
		return nil, 0, fmt.Errorf("%s takes no tag", attribute.Name)
	}
	return attribute, tag, nil
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

// add puts one attribute into the saying.
func (s *Saying) add(a *Attribute, prefix, value []byte, action string) {
	s.Wire = append(s.Wire, a.Wire(value)...)
	s.Text = append(s.Text, a.Name+" = "+a.Format(value))
	kind := ownership{key: a.Key, prefix: prefix, ours: map[string]string{}}
	i := slices.IndexFunc(s.kinds, kind.same)
	if i < 0 {
		i, s.kinds = len(s.kinds), append(s.kinds, kind)
	}
	for piece := range a.pieces(value) {
		s.kinds[i].ours[string(piece)] = action
	}
}

// own notes that values like these are ours when they stand in a reply.
func (p *Profile) own(s Saying) {
	for _, kind := range s.kinds {
		i := slices.IndexFunc(p.owned, kind.same)
		if i < 0 {
			i, p.owned = len(p.owned), append(p.owned, ownership{kind.key, kind.prefix, map[string]string{}})
		}
		maps.Copy(p.owned[i].ours, kind.ours)
	}
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
