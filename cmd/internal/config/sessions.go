package config

import (
	"cmp"
	"time"

	"sekisho/engine/yamldoc"
	"sekisho/radius/session"
)

// sessionsSpec is the section about live sessions.
type sessionsSpec struct {
	History  yamldoc.Duration `yaml:"history,omitempty" jsonschema:"description=how long it can be told who had which address; 90d if not said"`
	Join     yamldoc.Duration `yaml:"join,omitempty" jsonschema:"description=how long an Access-Accept waits for its Accounting-Start"`
	Interim  yamldoc.Duration `yaml:"interim,omitempty" jsonschema:"description=how often routers send Interim-Updates where the AAA does not tell them"`
	Missed   int              `yaml:"missed,omitempty" jsonschema:"minimum=0,description=so many Interim-Updates missed end a session"`
	MaxQuiet yamldoc.Duration `yaml:"max-quiet,omitempty" jsonschema:"description=silence that ends a session which never sent an Interim-Update"`
}

// Sessions is how long sessions and their history are believed.
type Sessions struct {
	session.Options               // without a clock
	History         time.Duration // how long it can be told who had which address
}

const defaultHistory = 90 * 24 * time.Hour

func (c *compiler) sessions() Sessions {
	s := c.spec.Sessions
	return Sessions{
		History: cmp.Or(c.positive(s.History, "sessions", "history"), defaultHistory),
		Options: session.Options{
			Join:     c.positive(s.Join, "sessions", "join"),
			Interim:  c.positive(s.Interim, "sessions", "interim"),
			Missed:   s.Missed,
			MaxQuiet: c.positive(s.MaxQuiet, "sessions", "max-quiet"),
		},
	}
}
