package config

import (
	"crypto/tls"
	"crypto/x509"
	"net"
	"net/url"
	"os"
	"slices"
	"strings"
	"time"

	"sekisho/engine"
	"sekisho/engine/yamldoc"
	"sekisho/store"
	"sekisho/store/ldapsync"
)

// The limits of what the directory may change unasked, where the site file does
// not say.
const (
	defaultPercent = 5
	defaultEntries = 1
	defaultGrace   = 72 * time.Hour
)

// directory compiles the sections ldap and sync; nil where there is none.
func (c *compiler) directory() *ldapsync.Config {
	if c.spec.LDAP == nil {
		if c.spec.Sync != nil {
			c.problem([]any{"sync"}, "expected a section ldap as well: there is nothing to follow")
		}
		return nil
	}
	s := c.spec.LDAP
	d := &ldapsync.Config{
		Connect: c.ldapConnect(s),
		Search:  c.ldapSearch(s),
		Method:  ldapsync.Method(or(s.Method, string(ldapsync.Syncrepl))),
		Mapping: c.ldapMapping(s),
	}
	c.syncTimes(d)
	return d
}

func (c *compiler) ldapConnect(s *ldapSpec) ldapsync.Connect {
	connect := ldapsync.Connect{
		Servers: s.Servers, StartTLS: s.StartTLS, BindDN: s.BindDN, External: s.External, Timeout: c.positive(s.Timeout, "ldap", "timeout"),
		TLS: c.ldapTLS(s), Password: c.ldapPassword(s),
	}
	for file, name := range map[*string]string{&connect.PasswordFile: s.SecretFile, &connect.CAFile: s.CAFile, &connect.CertFile: s.CertFile, &connect.KeyFile: s.KeyFile} {
		if name != "" {
			*file = c.path(name)
		}
	}
	if len(s.Servers) == 0 {
		c.problem([]any{"ldap", "servers"}, "expected at least one server")
	}
	for i, server := range s.Servers {
		c.ldapServer([]any{"ldap", "servers", i}, server, s)
	}
	return connect
}

func (c *compiler) ldapServer(path []any, server string, s *ldapSpec) {
	u, err := url.Parse(server)
	switch {
	case err != nil || !slices.Contains([]string{"ldap", "ldaps", "ldapi"}, u.Scheme):
		c.problem(path, "%q: expected a URL such as ldaps://ldap.isp.example or ldapi:///run/slapd/ldapi", server)
	case u.Scheme == "ldapi" && (u.Path == "" || u.Host != ""):
		c.problem(path, "%q: expected the path of a socket after ldapi://", server)
	case u.Scheme != "ldapi" && (u.Hostname() == "" || strings.Trim(u.Path, "/") != "" || u.User != nil || u.RawQuery != ""):
		c.problem(path, "%q: expected a host and perhaps a port, nothing else; base and filter have keys of their own", server)
	case u.Scheme == "ldaps" && s.StartTLS:
		c.problem(path, "ldaps is encrypted from its beginning: expected ldap:// with start-tls")
	case u.Scheme == "ldap" && !s.StartTLS && s.BindDN != "" && !isLoopback(u.Hostname()):
		c.warning(path, "the password of bind-dn crosses the network in the clear: say start-tls, or ldaps://")
	}
}

func isLoopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

func (c *compiler) ldapPassword(s *ldapSpec) []byte {
	switch {
	case s.External && (s.BindDN != "" || s.Secret != "" || s.SecretFile != ""):
		c.problem([]any{"ldap", "external"}, "expected external, or bind-dn with a secret, got both")
	case s.Secret != "" && s.SecretFile != "":
		c.problem([]any{"ldap", "secret-file"}, "expected secret or secret-file, got both")
	case s.BindDN == "" && (s.Secret != "" || s.SecretFile != ""):
		c.problem([]any{"ldap"}, "expected bind-dn: the secret is nobody's")
	case s.BindDN != "" && s.Secret == "" && s.SecretFile == "":
		c.problem([]any{"ldap", "bind-dn"}, "expected secret-file as well: servers take a bind without a password for nobody's")
	case s.SecretFile != "":
		return c.secretFile([]any{"ldap", "secret-file"}, s.SecretFile)
	case s.Secret != "":
		c.inClear([]any{"ldap", "secret"})
	}
	return []byte(s.Secret)
}

func (c *compiler) ldapTLS(s *ldapSpec) *tls.Config {
	t := &tls.Config{MinVersion: tls.VersionTLS12}
	if s.CAFile != "" {
		text, err := os.ReadFile(c.path(s.CAFile))
		t.RootCAs = x509.NewCertPool()
		if err != nil {
			c.problem([]any{"ldap", "ca-file"}, "cannot read it: %v", err)
		} else if !t.RootCAs.AppendCertsFromPEM(text) {
			c.problem([]any{"ldap", "ca-file"}, "there is no certificate in %s", s.CAFile)
		}
	}
	switch {
	case s.CertFile == "" && s.KeyFile == "":
		return t
	case s.KeyFile == "" || s.CertFile == "":
		c.problem([]any{"ldap"}, "expected cert-file and key-file, or neither")
		return t
	}
	pair, err := tls.LoadX509KeyPair(c.path(s.CertFile), c.path(s.KeyFile))
	if err != nil {
		c.problem([]any{"ldap", "cert-file"}, "cannot use the certificate: %v", err)
		return t
	}
	t.Certificates = []tls.Certificate{pair}
	return t
}

func (c *compiler) ldapSearch(s *ldapSpec) ldapsync.Search {
	search := ldapsync.Search{Base: s.Base, Filter: s.Filter, PageSize: s.PageSize, Scope: ldapsync.Scopes[or(s.Scope, "sub")]}
	if err := search.CheckBase(); err != nil {
		c.problem([]any{"ldap", "base"}, "%v", err)
	}
	if err := search.CheckFilter(); err != nil {
		c.problem([]any{"ldap", "filter"}, "%v", err)
	}
	return search
}

func (c *compiler) ldapMapping(s *ldapSpec) *ldapsync.Mapping {
	var fields []ldapsync.Field
	values := map[string]yamldoc.Map[string]{
		"course": s.Values.Course, "address": s.Values.Address, "area": s.Values.Area,
		"segment": s.Values.Segment, "options": s.Values.Options, "status": s.Values.Status,
	}
	for _, f := range []struct {
		name       string
		attributes yamldoc.Strings
	}{
		{"account", s.Attributes.Account}, {"course", s.Attributes.Course}, {"address", s.Attributes.Address}, {"area", s.Attributes.Area},
		{"segment", s.Attributes.Segment}, {"options", s.Attributes.Options}, {"status", s.Attributes.Status},
	} {
		words := values[f.name]
		if len(f.attributes) == 0 {
			if len(words) > 0 {
				c.problem([]any{"ldap", "values", f.name}, "expected attributes.%s as well: there are no values to translate", f.name)
			}
			if f.name == "account" || f.name == "course" {
				c.problem([]any{"ldap", "attributes", f.name}, "expected at least one attribute")
			}
			continue
		}
		field := ldapsync.Field{Name: f.name, Attributes: f.attributes, Values: map[string]string{}}
		for _, e := range words {
			field.Values[e.Key] = e.Value
			c.checkWord([]any{"ldap", "values", f.name, e.Key}, f.name, e.Value)
		}
		fields = append(fields, field)
	}
	return ldapsync.NewMapping(fields)
}

// checkWord holds that a word of ours is one that a contract may have.
func (c *compiler) checkWord(path []any, field, word string) {
	probe := engine.Contract{Account: "a", Course: "c"}
	switch field {
	case "course":
		if c.policy != nil && word != "" {
			if _, known := c.policy.Course(word); !known {
				c.warning(path, "policy %s has no course %q", c.policy.Name, word)
			}
		}
		probe.Course = or(word, "c")
	case "address":
		probe.Address = word
	case "segment":
		probe.Segment = word
	case "status":
		probe.Status = word
	case "options":
		probe.Options = []string{word}
	}
	if err := store.CheckContract(probe); err != nil {
		c.problem(path, "%v", err)
	}
}

func (c *compiler) syncTimes(d *ldapsync.Config) {
	s := c.spec.Sync
	if s == nil {
		s = &syncSpec{}
	}
	at := func(v yamldoc.Duration, key string) time.Duration { return c.positive(v, "sync", key) }
	d.Times = ldapsync.Times{
		Interval: at(s.Interval, "interval"), FullCompare: at(s.FullCompare, "full-compare"), Overlap: at(s.Overlap, "overlap"),
		Held: at(s.HeldRetry, "held-retry"), Window: at(s.Window, "window"), Stale: at(s.StaleAfter, "stale-after"), Grace: defaultGrace,
	}
	if s.Grace != nil {
		d.Times.Grace = at(*s.Grace, "grace")
	}
	d.Guards.MaxDeletes = atMost(s.MaxDeletes, 0)
	d.Guards.MaxDeletePercent = atMost(s.MaxDeletePercent, defaultPercent)
	d.Guards.MaxChanges = atMost(s.MaxChanges, 0)
	d.Guards.MaxChangePercent = atMost(s.MaxChangePercent, defaultPercent)
	d.Guards.MinContracts = defaultEntries
	if s.MinEntries != nil {
		d.Guards.MinContracts = *s.MinEntries
	}
}

// atMost is a limit as guards have it: 0 is none there, and -1 allows nothing.
func atMost(said *int, otherwise int) int {
	switch {
	case said == nil:
		return otherwise
	case *said == 0:
		return -1
	}
	return *said
}
