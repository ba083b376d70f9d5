package config

import (
	"errors"
	"fmt"

	"sekisho/dict"
	"sekisho/engine"
)

// Speak compiles the profile of each NAS for another policy than the site
// file's, as if that were loaded: by name of the NAS, without those that have
// none. The error lists everything that a profile cannot say.
func (c *Config) Speak(p *engine.Policy) (map[string]*dict.Profile, error) {
	compiled, actions := map[string]*dict.Profile{}, Actions(p)
	said := map[string]*dict.Profile{}
	var faults []error
	for i := range c.Radius.NAS {
		nas := &c.Radius.NAS[i]
		if nas.Profile == nil {
			continue
		}
		name := nas.Profile.Name
		if compiled[name] == nil {
			profile, errs := dict.CompileProfile(c.Radius.Dictionary, name, c.profiles[name], actions)
			for _, err := range errs {
				faults = append(faults, fmt.Errorf("profile %s of %s cannot say policy %s: %w", name, nas.Name, p.Name, err))
			}
			compiled[name] = profile
		}
		said[nas.Name] = compiled[name]
	}
	return said, errors.Join(faults...)
}
