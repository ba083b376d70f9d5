package config

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"sekisho/dict"
	"sekisho/engine/yamldoc"
)

// profile compiles a profile for the policy, once for each name; what it
// cannot say is reported where the profile stands: in the site file, or, for a
// shipped one, at the first NAS that names it.
func (c *compiler) profile(path []any, name string) *dict.Profile {
	if name == "" {
		return nil
	}
	if p, done := c.profiles[name]; done {
		return p
	}
	spec, ok := c.profileSpec(name)
	if !ok {
		c.problem(with(path, "profile"), "there is no profile %q; %s", name, yamldoc.Suggest(name, c.profileNames()))
		return nil
	}
	if c.policy == nil {
		return nil // nothing to say: reported already
	}
	profile, errs := dict.CompileProfile(c.dictionary, name, spec, c.actions())
	c.profiles[name], c.specs[name] = profile, spec
	c.reportProfile(with(path, "profile"), profile, errs)
	return profile
}

// reportProfile notes what a profile cannot say or says doubtfully, each where
// it stands in the site file; of a shipped profile at the NAS.
func (c *compiler) reportProfile(nas []any, p *dict.Profile, errs []error) {
	who := "profile " + p.Name + ": "
	if _, own := c.spec.Profiles.Get(p.Name); own {
		who = ""
	}
	for _, err := range errs {
		c.problem(c.faultPath(nas, p.Name, err), "%scannot say policy %s: %v", who, c.policy.Name, err)
	}
	for _, doubt := range p.Warnings {
		c.warning(c.faultPath(nas, p.Name, doubt), "%s%v", who, doubt)
	}
}

// faultPath leads to where a mistake in a profile stands.
func (c *compiler) faultPath(nas []any, name string, err error) []any {
	if _, own := c.spec.Profiles.Get(name); !own {
		return nas
	}
	path := []any{"profiles", name}
	var fault *dict.Fault
	if errors.As(err, &fault) {
		path = append(path, fault.Path...)
	}
	return path
}

// checkUnused compiles the site file's own profiles that no NAS names, so that
// what is wrong with one is known before the first NAS does.
func (c *compiler) checkUnused() {
	for _, e := range c.spec.Profiles {
		c.profile([]any{"profiles", e.Key}, e.Key)
	}
}

// profileSpec finds a profile of the site file or a shipped one, laid over the
// one it is based on.
func (c *compiler) profileSpec(name string) (dict.ProfileSpec, bool) {
	own, ok := c.spec.Profiles.Get(name)
	if !ok {
		return dict.ShippedProfile(name)
	}
	if own.Base == "" {
		return own, true
	}
	base, ok := dict.ShippedProfile(own.Base)
	if !ok {
		c.problem([]any{"profiles", name, "base"}, "there is no shipped profile %q; %s", own.Base, yamldoc.Suggest(own.Base, dict.ShippedProfiles()))
	}
	return own.Derive(base), true
}

func (c *compiler) profileNames() []string {
	return append(c.spec.Profiles.Keys(), dict.ShippedProfiles()...)
}

// actions are the policy's actions as profiles need them.
func (c *compiler) actions() []dict.Action { return Actions(c.policy) }

// SiteProfile is a profile as a site file has it.
type SiteProfile struct {
	Spec       dict.ProfileSpec
	Dictionary *dict.Dictionary // that it is written in
	Policy     string           // of the site: a shipped name or a file; empty without a site file
}

// Profile finds a profile of a site file, or a shipped one if file is empty. Of
// the site file nothing else has to be right.
func Profile(file, name string) (SiteProfile, error) {
	c := &compiler{profiles: map[string]*dict.Profile{}, dictionary: dict.Standard()}
	if file != "" {
		src, err := os.ReadFile(file)
		if err != nil {
			return SiteProfile{}, fmt.Errorf("reading the site file: %w", err)
		}
		var problems yamldoc.Problems
		c.spec, c.doc, problems = yamldoc.Decode[spec](file, src)
		if unreadable(problems) {
			return SiteProfile{}, problems
		}
		c.dir = filepath.Dir(file)
		c.loadDictionaries()
	}
	found, ok := c.profileSpec(name)
	if !ok {
		return SiteProfile{}, fmt.Errorf("there is no profile %q; %s", name, yamldoc.Suggest(name, c.profileNames()))
	}
	return SiteProfile{found, c.dictionary, c.policyName()}, c.problems.Err()
}
