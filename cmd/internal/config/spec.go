package config

import (
	"net/netip"

	"sekisho/dict"
	"sekisho/engine/yamldoc"
)

// spec is the site file as it is written. Every value in it is as the operator
// spelled it; what it means is worked out by compile.
type spec struct {
	Listen       listenSpec                    `yaml:"listen" jsonschema:"required,description=where the NASes' packets arrive"`
	Admin        adminSpec                     `yaml:"admin,omitempty" jsonschema:"description=the door for operators"`
	Overrides    overridesSpec                 `yaml:"overrides,omitempty" jsonschema:"description=limits of what is set on accounts by hand"`
	Store        storeSpec                     `yaml:"store,omitempty" jsonschema:"description=where contracts are kept"`
	Log          logSpec                       `yaml:"log,omitempty" jsonschema:"description=what is logged and how"`
	Policy       string                        `yaml:"policy" jsonschema:"required,description=a shipped policy by name or a policy file relative to this one"`
	PolicyTests  yamldoc.Strings               `yaml:"policy-tests,omitempty" jsonschema:"description=decision tests that must pass: files relative to this one or shipped policies by name"`
	NAS          yamldoc.Map[nasSpec]          `yaml:"nas" jsonschema:"required,description=the access routers by name"`
	AAA          aaaSpec                       `yaml:"aaa" jsonschema:"required,description=the home servers"`
	Profiles     yamldoc.Map[dict.ProfileSpec] `yaml:"profiles,omitempty" jsonschema:"description=profiles of your own by name"`
	Dictionaries yamldoc.Strings               `yaml:"dictionaries,omitempty" jsonschema:"description=dictionary files in FreeRADIUS 3 format relative to this file"`
	Campaigns    campaignsSpec                 `yaml:"campaigns,omitempty" jsonschema:"description=how fast routers are told when many sessions change at once"`
	Sessions     sessionsSpec                  `yaml:"sessions,omitempty" jsonschema:"description=live sessions and their history"`
	LDAP         *ldapSpec                     `yaml:"ldap,omitempty" jsonschema:"description=the directory that contracts come from"`
	Sync         *syncSpec                     `yaml:"sync,omitempty" jsonschema:"description=how the directory is followed and what it may change unasked"`
	Limits       limitsSpec                    `yaml:"limits,omitempty" jsonschema:"description=how much is held and for how long"`
}

type listenSpec struct {
	Auth yamldoc.List[addrPort] `yaml:"auth" jsonschema:"required,description=for Access-Requests"`
	Acct yamldoc.List[addrPort] `yaml:"acct,omitempty" jsonschema:"description=for Accounting-Requests"`
	CoA  yamldoc.List[addrPort] `yaml:"coa,omitempty" jsonschema:"description=for CoA- and Disconnect-Requests of the AAA servers; they are passed on to the NASes"`

	StatusServer string `yaml:"status-server,omitempty" jsonschema:"enum=always,enum=while-usable,description=whether a Status-Server is answered also while the store cannot be read; always if not said"`
}

type adminSpec struct {
	Socket      string    `yaml:"socket,omitempty" jsonschema:"description=unix socket of the admin API; relative to this file"`
	SocketMode  string    `yaml:"socket-mode,omitempty" jsonschema:"enum=0600,enum=0660,enum=0666,description=who may open the socket; 0600 if not said"`
	SocketGroup string    `yaml:"socket-group,omitempty" jsonschema:"description=group of the socket: a name or a number"`
	Roles       rolesSpec `yaml:"roles,omitempty" jsonschema:"description=what users of the socket may do; root and the user that runs the daemon are admins"`
	Listen      addrPort  `yaml:"listen,omitempty" jsonschema:"description=address of the admin API for programs with tokens; only with tls-cert unless it is a loopback address"`
	TLSCert     string    `yaml:"tls-cert,omitempty" jsonschema:"description=PEM file with the certificate and those that signed it; relative to this file"`
	TLSKey      string    `yaml:"tls-key,omitempty" jsonschema:"description=PEM file with the key of the certificate; relative to this file"`
}

// rolesSpec lists who has a role: login names, numbers of users, and groups as
// @name or @number.
type rolesSpec struct {
	Viewer   yamldoc.Strings `yaml:"viewer,omitempty" jsonschema:"description=may read; users by name or number or groups as @name"`
	Support  yamldoc.Strings `yaml:"support,omitempty" jsonschema:"description=may grant and restrict as well"`
	Operator yamldoc.Strings `yaml:"operator,omitempty" jsonschema:"description=may import and reload and read the audit as well"`
	Admin    yamldoc.Strings `yaml:"admin,omitempty" jsonschema:"description=may do everything"`
}

type overridesSpec struct {
	Grants       overrideSpec `yaml:"grants,omitempty" jsonschema:"description=limits of those that loosen"`
	Restrictions overrideSpec `yaml:"restrictions,omitempty" jsonschema:"description=limits of those that tighten"`
}

type overrideSpec struct {
	MaxDays      int  `yaml:"max-days,omitempty" jsonschema:"minimum=0,maximum=36500,description=from the beginning to the end at most; 0 is no limit"`
	RequireUntil bool `yaml:"require-until,omitempty" jsonschema:"description=refuse those without an end"`
}

type storeSpec struct {
	Path string `yaml:"path,omitempty" jsonschema:"description=the bbolt file; relative to this file"`
}

type logSpec struct {
	Level  string `yaml:"level,omitempty" jsonschema:"enum=debug,enum=info,enum=warn,enum=error"`
	Format string `yaml:"format,omitempty" jsonschema:"enum=text,enum=json"`
}

type nasSpec struct {
	Source       yamldoc.Prefix `yaml:"source" jsonschema:"required,description=address or prefix its packets come from"`
	NASIPAddress yamldoc.Addr   `yaml:"nas-ip-address,omitempty" jsonschema:"description=NAS-IP-Address or NAS-IPv6-Address it sends; tells NASes behind one source apart"`
	Identifier   string         `yaml:"nas-identifier,omitempty" jsonschema:"description=NAS-Identifier it sends; tells NASes behind one source apart"`
	Secret       string         `yaml:"secret,omitempty" jsonschema:"description=the shared secret"`
	SecretFile   string         `yaml:"secret-file,omitempty" jsonschema:"description=a file that holds the shared secret"`
	Area         string         `yaml:"area,omitempty" jsonschema:"description=the area for the policy's rules"`
	CoA          *coaSpec       `yaml:"coa,omitempty" jsonschema:"description=how the router is told of sessions that are up; without it they keep what they had at login"`
	Profile      string         `yaml:"profile,omitempty" jsonschema:"description=how this router is told an action; without one nothing is injected"`

	RequireMA       string `yaml:"require-message-authenticator,omitempty" jsonschema:"enum=no,enum=auto,enum=require,description=in Access-Requests; auto requires it once one was seen"`
	LimitProxyState bool   `yaml:"limit-proxy-state,omitempty" jsonschema:"description=discard Proxy-State without Message-Authenticator; not for a NAS that is a proxy"`
	ReplyMA         string `yaml:"reply-message-authenticator,omitempty" jsonschema:"enum=always,enum=echo,enum=never"`
	MaxOutstanding  int    `yaml:"max-outstanding,omitempty" jsonschema:"minimum=0,description=requests of this NAS waiting at once; 0 is no limit"`
}

type aaaSpec struct {
	Servers yamldoc.Map[serverSpec] `yaml:"servers" jsonschema:"required,description=home servers by name"`
	Pools   yamldoc.Map[poolSpec]   `yaml:"pools" jsonschema:"required,description=lists of servers by name"`
	Realms  yamldoc.Map[string]     `yaml:"realms" jsonschema:"required,description=the pool of each realm; * is every other User-Name"`
}

type serverSpec struct {
	Address    yamldoc.Addr `yaml:"address" jsonschema:"required,description=IP address"`
	AuthPort   *int         `yaml:"auth-port,omitempty" jsonschema:"minimum=0,maximum=65535,description=0 is none; 1812 if not said"`
	AcctPort   *int         `yaml:"acct-port,omitempty" jsonschema:"minimum=0,maximum=65535,description=0 is none; 1813 if not said"`
	Source     yamldoc.Addr `yaml:"source,omitempty" jsonschema:"description=local address to send from"`
	Secret     string       `yaml:"secret,omitempty" jsonschema:"description=the shared secret"`
	SecretFile string       `yaml:"secret-file,omitempty" jsonschema:"description=a file that holds the shared secret"`
	RequireMA  string       `yaml:"require-message-authenticator,omitempty" jsonschema:"enum=no,enum=auto,enum=require,description=in answers to Access-Requests; auto requires it once one was seen"`
	ProxyState *bool        `yaml:"proxy-state,omitempty" jsonschema:"description=add a Proxy-State of our own; true if not said"`
	MaxSockets int          `yaml:"max-sockets,omitempty" jsonschema:"minimum=0,maximum=1024,description=sockets of 256 identifiers each"`

	ResponseWindow yamldoc.Duration `yaml:"response-window,omitempty" jsonschema:"description=silence after a request that makes the server a zombie"`
	ZombiePeriod   yamldoc.Duration `yaml:"zombie-period,omitempty" jsonschema:"description=silence as a zombie that makes it dead"`
	StatusCheck    string           `yaml:"status-check,omitempty" jsonschema:"enum=status-server,enum=none,description=how a zombie or a dead server is asked whether it is back"`
	CheckInterval  yamldoc.Duration `yaml:"check-interval,omitempty" jsonschema:"description=between two such questions"`
	AnswersToAlive int              `yaml:"num-answers-to-alive,omitempty" jsonschema:"minimum=0,description=answers in a row that make it alive"`
	ReviveInterval yamldoc.Duration `yaml:"revive-interval,omitempty" jsonschema:"description=without status-check: how long a dead server is left alone"`
}

type poolSpec struct {
	Servers yamldoc.Strings `yaml:"servers" jsonschema:"required,description=in the order in which they are asked"`
}

type limitsSpec struct {
	CleanupDelay   yamldoc.Duration `yaml:"cleanup-delay,omitempty" jsonschema:"description=how long an answer is kept for retransmissions"`
	MaxRequestTime yamldoc.Duration `yaml:"max-request-time,omitempty" jsonschema:"description=how long an answer to a request is waited for at all"`
	DecisionBudget yamldoc.Duration `yaml:"decision-budget,omitempty" jsonschema:"description=how long a decision may take before the fail mode answers"`
	MaxRequests    int              `yaml:"max-requests,omitempty" jsonschema:"minimum=0,description=requests held at once"`
	NoSegmentation bool             `yaml:"no-udp-segmentation,omitempty" jsonschema:"description=send every datagram singly; for a network card or a driver that loses those cut up by it (UDP_SEGMENT)"`
}

// addrPort is an IP address with a port.
type addrPort struct{ netip.AddrPort }

// UnmarshalText reads 127.0.0.1:1812 or [2001:db8::1]:1812.
func (a *addrPort) UnmarshalText(text []byte) error {
	v, err := netip.ParseAddrPort(string(text))
	a.AddrPort = v
	return err
}

// Expected describes the spelling to an operator.
func (addrPort) Expected() string {
	return "an IP address with a port such as 192.0.2.1:1812 or [2001:db8::1]:1812"
}
