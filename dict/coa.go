package dict

import (
	"bytes"
	"slices"

	"sekisho/engine/yamldoc"
)

// CoASpec says how a router is told of a session that is up already.
type CoASpec struct {
	By         By                 `yaml:"by,omitempty" jsonschema:"enum=coa,enum=disconnect,enum=nothing,description=what the router takes; coa if not said"`
	Otherwise  By                 `yaml:"otherwise,omitempty" jsonschema:"enum=disconnect,enum=nothing,description=for an action that a CoA cannot say; nothing if not said"`
	Filtered   Sayings            `yaml:"filtered,omitempty" jsonschema:"description=attributes for an action that has a filter; those of the login if not said"`
	Unfiltered Sayings            `yaml:"unfiltered,omitempty" jsonschema:"description=attributes that take the filter away; those of open-filter if not said"`
	Actions    map[string]Sayings `yaml:"actions,omitempty" jsonschema:"description=attributes for single actions by name"`
	Complete   bool               `yaml:"complete,omitempty" jsonschema:"description=a CoA leaves nothing of what an earlier one set; even one without attributes"`

	NAS                  yamldoc.Strings `yaml:"nas,omitempty" jsonschema:"description=attributes that name the router: the first that it sent is used"`
	Identify             yamldoc.Strings `yaml:"identify,omitempty" jsonschema:"description=attributes that name a session joined by +; the first set that is known whole is used"`
	IdentifyToDisconnect yamldoc.Strings `yaml:"identify-to-disconnect,omitempty" jsonschema:"description=the same for a Disconnect; as for a CoA if not said"`

	Port                 int   `yaml:"port,omitempty" jsonschema:"minimum=1,maximum=65535,description=UDP port; 3799 if not said"`
	EventTimestamp       *bool `yaml:"event-timestamp,omitempty" jsonschema:"description=send Event-Timestamp; true if not said"`
	MessageAuthenticator *bool `yaml:"message-authenticator,omitempty" jsonschema:"description=send Message-Authenticator; false if not said"`
	SilentIgnore         bool  `yaml:"ignores-unknown,omitempty" jsonschema:"description=an ACK proves nothing: attributes that the router does not know are ignored"`
	FirstMatchOnly       bool  `yaml:"first-match-only,omitempty" jsonschema:"description=of several sessions that match only the first is changed"`
	OneAtATime           bool  `yaml:"one-at-a-time,omitempty" jsonschema:"description=a second request during one of the same session is dropped"`
}

// By is a way to tell a router of a live session, as it is written.
type By string

// The ways.
const (
	SayByCoA        By = "coa"
	SayByDisconnect By = "disconnect"
	SayByNothing    By = "nothing"
)

// Means is how a live session comes to have an action.
type Means uint8

// The means.
const (
	ByNothing    Means = iota // the router takes nothing: the session keeps what it has until it ends
	ByCoA                     // Profile.CoA has the attributes
	ByDisconnect              // the session is ended, and logs in anew
)

// String is the word for people.
func (m Means) String() string {
	return [...]string{ByNothing: "nothing", ByCoA: "CoA", ByDisconnect: "Disconnect"}[m]
}

// Quirks are what else is to be known to speak to a router.
type Quirks struct {
	Port                 uint16 // UDP
	EventTimestamp       bool   // send it
	MessageAuthenticator bool   // send it
	SilentIgnore         bool   // an ACK proves nothing: what the router does not know it ignores
	FirstMatchOnly       bool   // of several sessions that match, only the first is changed
	OneAtATime           bool   // a second request during one of the same session is dropped
	Complete             bool   // a CoA leaves nothing of what an earlier one set
}

// usualPort of dynamic authorization (RFC 5176 section 2.1).
const usualPort = 3799

// CoA returns the attributes that make a live session have exactly this
// action, whatever it had; none at all where leaving out takes away. False when
// no CoA can say it: NoCoA tells why.
func (p *Profile) CoA(action string) (Saying, bool) {
	s, ok := p.coa[action]
	return s, ok
}

// NoCoA says why an action cannot be said by CoA; empty when it can.
func (p *Profile) NoCoA(action string) string { return p.silent[action] }

// Means returns how a live session comes to have the action. ByDisconnect only
// where the profile says so.
func (p *Profile) Means(action string) Means { return p.means[action] }

// Fallback is what the profile wants done where the router refuses a CoA that
// it was expected to take: ByDisconnect or ByNothing.
func (p *Profile) Fallback() Means { return p.fallback }

// Identification returns how sessions are named to the router.
func (p *Profile) Identification() Identification { return p.identification }

// Quirks returns what else is to be known to speak to the router.
func (p *Profile) Quirks() Quirks { return p.quirks }

// liveSessions works out the dynamic side, once the logins are known.
func (c *profileCompiler) liveSessions() {
	s := c.spec.CoA
	c.profile.quirks = s.quirks()
	c.profile.identification = c.identification(s)
	if s.Otherwise == SayByDisconnect || s.By == SayByDisconnect {
		c.profile.fallback = ByDisconnect
	}
	for _, action := range c.actions {
		c.live(action)
	}
}

func (s CoASpec) quirks() Quirks {
	return Quirks{
		Port:                 uint16(or(s.Port, usualPort)),
		EventTimestamp:       s.EventTimestamp == nil || *s.EventTimestamp,
		MessageAuthenticator: s.MessageAuthenticator != nil && *s.MessageAuthenticator,
		SilentIgnore:         s.SilentIgnore, FirstMatchOnly: s.FirstMatchOnly, OneAtATime: s.OneAtATime, Complete: s.Complete,
	}
}

// live works out what a CoA says for an action, or why none can.
func (c *profileCompiler) live(action Action) {
	saying, why := c.sayLive(action)
	if why != "" {
		c.profile.silent[action.Name] = why
		c.profile.means[action.Name] = c.profile.fallback
		return
	}
	c.profile.coa[action.Name] = saying
	c.profile.means[action.Name] = ByCoA
}

func (c *profileCompiler) sayLive(action Action) (Saying, string) {
	s := c.spec.CoA
	if s.By == SayByDisconnect || s.By == SayByNothing {
		return Saying{}, "the router takes no CoA"
	}
	login, loginSaid := c.profile.login[action.Name]
	if !loginSaid {
		return Saying{}, "the profile cannot say it at all"
	}
	path, sayings, said := c.liveSayings(&action)
	saying := login
	if said {
		var ok bool
		if saying, ok = c.say(path, sayings, action); !ok {
			return Saying{}, "the profile cannot say it"
		}
	}
	switch {
	case s.Complete:
	case len(saying.Wire) == 0:
		return Saying{}, "a CoA takes nothing away by leaving it out: set open-filter to the name of a filter that permits everything"
	case !saying.covers(c.profile.owned):
		return Saying{}, "a CoA would leave standing what another action has set: the attributes differ"
	}
	return saying, ""
}

// liveSayings are the attributes that the profile has for a CoA; false when
// those of the login serve. An action without a filter becomes one with the
// open filter where there is one.
func (c *profileCompiler) liveSayings(action *Action) ([]any, Sayings, bool) {
	s := c.spec.CoA
	if own, ok := s.Actions[action.Name]; ok {
		return []any{"coa", "actions", action.Name}, own, true
	}
	_, ownLogin := c.spec.Actions[action.Name]
	switch {
	case !action.told() && s.Unfiltered != nil:
		return []any{"coa", "unfiltered"}, s.Unfiltered, true
	case !action.told() && c.spec.OpenFilter != "" && c.spec.NeedsOpenFilter():
		action.Filter = c.spec.OpenFilter
		if s.Filtered == nil {
			return []any{"filtered"}, c.spec.Filtered, true
		}
		return []any{"coa", "filtered"}, s.Filtered, true
	case action.told() && s.Filtered != nil && !ownLogin:
		return []any{"coa", "filtered"}, s.Filtered, true
	}
	return nil, nil, false
}

// NeedsOpenFilter reports whether it takes an open filter to say by CoA that a
// session has none: there is nothing else that takes away.
func (s ProfileSpec) NeedsOpenFilter() bool {
	return (s.CoA.By == "" || s.CoA.By == SayByCoA) && !s.CoA.Complete && s.CoA.Unfiltered == nil && len(s.Unfiltered) == 0
}

// covers reports whether the saying has an attribute of every kind: what it
// leaves out, a CoA leaves as it is (RFC 5176 section 3.6, note 3).
func (s Saying) covers(kinds []ownership) bool {
	return !slices.ContainsFunc(kinds, func(k ownership) bool {
		return !slices.ContainsFunc(s.kinds, func(said ownership) bool {
			return said.key == k.key && bytes.Equal(said.prefix, k.prefix)
		})
	})
}
