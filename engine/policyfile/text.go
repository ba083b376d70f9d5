package policyfile

import "sekisho/engine/yamldoc"

// policyText is a policy file as it is written.
type policyText struct {
	Policy          string                             `yaml:"policy" jsonschema:"required" jsonschema_description:"the name of this policy"`
	Notice          string                             `yaml:"notice" jsonschema_description:"the announcement it implements"`
	Timezone        zone                               `yaml:"timezone" jsonschema:"required"`
	Logins          []loginText                        `yaml:"logins" jsonschema:"required" jsonschema_description:"how a User-Name is read; the first match counts; letter case and full-width forms never matter"`
	CourseNames     courseNamesText                    `yaml:"course-names" jsonschema_description:"what a directory may write around a course name"`
	Courses         yamldoc.Map[courseText]            `yaml:"courses" jsonschema:"required"`
	Actions         yamldoc.Map[actionText]            `yaml:"actions" jsonschema:"required" jsonschema_description:"from loosest to tightest"`
	Hosts           yamldoc.Map[yamldoc.List[address]] `yaml:"hosts" jsonschema_description:"what allow means on a router"`
	Rules           []ruleText                         `yaml:"rules" jsonschema:"required" jsonschema_description:"the first one in force that matches wins"`
	Otherwise       string                             `yaml:"otherwise" jsonschema:"required" jsonschema_description:"the action when no rule matches"`
	UnknownContract string                             `yaml:"unknown-contract" jsonschema:"required" jsonschema_description:"the action for accounts without a contract"`
	Remedies        yamldoc.Map[wordsText]             `yaml:"remedies" jsonschema_description:"what a subscriber can do"`
}

type loginText struct {
	Match string `yaml:"match" jsonschema:"required" jsonschema_description:"such as f.{account}@isp.example"`
	Form  string `yaml:"form" jsonschema:"required"`
}

type courseNamesText struct {
	Endings     yamldoc.Strings `yaml:"endings"`
	SpeedGrades bool            `yaml:"speed-grades" jsonschema_description:"(12M) after a name is no other course"`
}

type courseText struct {
	Name  string          `yaml:"name" jsonschema:"required" jsonschema_description:"as the notice and the directory write it"`
	Alias yamldoc.Strings `yaml:"alias"`
	Group yamldoc.Strings `yaml:"group"`
}

type actionText struct {
	Filter string   `yaml:"filter" jsonschema_description:"the name of a filter on the routers"`
	Allow  []string `yaml:"allow" jsonschema_description:"hosts that stay reachable"`
	Pool   string   `yaml:"pool" jsonschema_description:"the name of an address pool"`
}

type ruleText struct {
	Name     string          `yaml:"name" jsonschema:"required"`
	When     whenText        `yaml:"when" jsonschema_description:"several keys mean all of them, a list means any of it; nothing means always"`
	From     bound           `yaml:"from"`
	Until    bound           `yaml:"until"`
	Then     string          `yaml:"then" jsonschema:"required"`
	Because  wordsText       `yaml:"because"`
	Remedies yamldoc.Strings `yaml:"remedies"`
}

type whenText struct {
	Course   yamldoc.Strings                  `yaml:"course"`
	Form     yamldoc.Strings                  `yaml:"form"`
	Realm    yamldoc.Strings                  `yaml:"realm"`
	Address  yamldoc.Strings                  `yaml:"address"`
	Option   yamldoc.Strings                  `yaml:"option"`
	Segment  yamldoc.Strings                  `yaml:"segment"`
	Status   yamldoc.Strings                  `yaml:"status"`
	Area     yamldoc.Strings                  `yaml:"area"`
	NAS      yamldoc.Strings                  `yaml:"nas"`
	Contract string                           `yaml:"contract" jsonschema:"enum=known,enum=unknown"`
	Request  yamldoc.Map[yamldoc.List[value]] `yaml:"request"`
	Not      *whenText                        `yaml:"not"`
}

// wordsText is said to subscribers.
type wordsText struct {
	JA string `yaml:"ja"`
	EN string `yaml:"en"`
}

// A bound is one moment, or one for each area.
type bound struct {
	Everywhere moment              `yaml:",scalar"`
	ByArea     yamldoc.Map[moment] `yaml:",mapping"`
}
