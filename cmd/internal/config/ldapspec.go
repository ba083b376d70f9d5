package config

import "sekisho/engine/yamldoc"

// ldapSpec is the directory that contracts come from.
type ldapSpec struct {
	Servers    yamldoc.Strings  `yaml:"servers" jsonschema:"required,description=URLs: ldaps://host or ldap://host or ldapi:///socket; tried in turn"`
	StartTLS   bool             `yaml:"start-tls,omitempty" jsonschema:"description=encrypt an ldap:// connection before anything is said"`
	CAFile     string           `yaml:"ca-file,omitempty" jsonschema:"description=PEM file with whom to believe; the system's authorities if not said; relative to this file"`
	CertFile   string           `yaml:"cert-file,omitempty" jsonschema:"description=PEM file with our own certificate"`
	KeyFile    string           `yaml:"key-file,omitempty" jsonschema:"description=PEM file with the key of our certificate"`
	BindDN     string           `yaml:"bind-dn,omitempty" jsonschema:"description=as whom we read"`
	Secret     string           `yaml:"secret,omitempty" jsonschema:"description=the password of bind-dn"`
	SecretFile string           `yaml:"secret-file,omitempty" jsonschema:"description=a file that holds the password of bind-dn"`
	External   bool             `yaml:"external,omitempty" jsonschema:"description=SASL EXTERNAL: who we are says our certificate or the ldapi socket"`
	Timeout    yamldoc.Duration `yaml:"timeout,omitempty" jsonschema:"description=silence of a server that ends a connection; 30s if not said"`
	Method     string           `yaml:"method,omitempty" jsonschema:"enum=syncrepl,enum=timestamp,enum=usn,description=how changes are found: syncrepl (OpenLDAP and 389DS) if not said; usn is Active Directory"`
	Base       string           `yaml:"base" jsonschema:"required,description=DN below which contracts are"`
	Scope      string           `yaml:"scope,omitempty" jsonschema:"enum=sub,enum=one,enum=base,description=sub if not said"`
	Filter     string           `yaml:"filter" jsonschema:"required,description=which entries are contracts such as (objectClass=ispContract)"`
	PageSize   int              `yaml:"page-size,omitempty" jsonschema:"minimum=0,maximum=100000,description=entries in one answer; 0 is all and Active Directory wants 1000 at most"`
	Attributes attributesSpec   `yaml:"attributes" jsonschema:"required,description=where the fields of a contract come from: the first attribute that has a value"`
	Values     valuesSpec       `yaml:"values,omitempty" jsonschema:"description=the directory's words and ours; * is every other one"`
}

type attributesSpec struct {
	Account yamldoc.Strings `yaml:"account" jsonschema:"required,description=several values are several contracts"`
	Course  yamldoc.Strings `yaml:"course" jsonschema:"required"`
	Address yamldoc.Strings `yaml:"address,omitempty"`
	Area    yamldoc.Strings `yaml:"area,omitempty"`
	Segment yamldoc.Strings `yaml:"segment,omitempty"`
	Options yamldoc.Strings `yaml:"options,omitempty" jsonschema:"description=several values are several options"`
	Status  yamldoc.Strings `yaml:"status,omitempty"`
}

type valuesSpec struct {
	Course  yamldoc.Map[string] `yaml:"course,omitempty"`
	Address yamldoc.Map[string] `yaml:"address,omitempty" jsonschema:"description=ours are dynamic and fixed and simple-fixed"`
	Area    yamldoc.Map[string] `yaml:"area,omitempty"`
	Segment yamldoc.Map[string] `yaml:"segment,omitempty" jsonschema:"description=ours are personal and corporate-s"`
	Options yamldoc.Map[string] `yaml:"options,omitempty"`
	Status  yamldoc.Map[string] `yaml:"status,omitempty" jsonschema:"description=ours are active and suspended and closed"`
}

// syncSpec is how the directory is followed, and what it may change unasked.
type syncSpec struct {
	Interval    yamldoc.Duration  `yaml:"interval,omitempty" jsonschema:"description=between two polls (not for syncrepl); 1m if not said"`
	FullCompare yamldoc.Duration  `yaml:"full-compare,omitempty" jsonschema:"description=between two comparisons of everything; 1d if not said"`
	Overlap     yamldoc.Duration  `yaml:"overlap,omitempty" jsonschema:"description=by how much a poll by timestamp looks back; 5m if not said"`
	Grace       *yamldoc.Duration `yaml:"grace,omitempty" jsonschema:"description=how long a contract goes on when its entry is gone; 3d if not said and 0s is not at all"`
	HeldRetry   yamldoc.Duration  `yaml:"held-retry,omitempty" jsonschema:"description=until changes that are held are compared anew; 10m if not said"`
	Window      yamldoc.Duration  `yaml:"window,omitempty" jsonschema:"description=within which small changes add up for the limits; 1h if not said"`
	StaleAfter  yamldoc.Duration  `yaml:"stale-after,omitempty" jsonschema:"description=time without success after which an error is logged rather than a warning; 1h if not said"`

	MaxDeletes       *int `yaml:"max-deletes,omitempty" jsonschema:"minimum=0,description=contracts that may vanish unasked; no limit if not said"`
	MaxDeletePercent *int `yaml:"max-delete-percent,omitempty" jsonschema:"minimum=0,maximum=100,description=of the entries; 5 if not said"`
	MaxChanges       *int `yaml:"max-changes,omitempty" jsonschema:"minimum=0,description=contracts that may come or change or vanish unasked; no limit if not said"`
	MaxChangePercent *int `yaml:"max-change-percent,omitempty" jsonschema:"minimum=0,maximum=100,description=of the entries; 5 if not said"`
	MinEntries       *int `yaml:"min-entries,omitempty" jsonschema:"minimum=0,description=fewer in a comparison of everything is a mistake; 1 if not said"`
}
