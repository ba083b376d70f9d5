// Package config reads the site file: everything about one installation that
// is not the policy. It turns what the operator wrote into the values that the
// daemon works by, once, at load, and reports every mistake of the file in one
// run, each with file, line, column and key.
package config

import (
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"sekisho/dict"
	"sekisho/engine"
	"sekisho/engine/policyfile"
	"sekisho/engine/yamldoc"
	"sekisho/radius"
	"sekisho/radius/coa"
	"sekisho/store/ldapsync"
)

// Where things are when the site file does not say.
const (
	DefaultFile   = "/etc/sekisho/sekisho.yaml"
	DefaultSocket = "/run/sekisho/admin.sock"
	DefaultStore  = "/var/lib/sekisho/sekisho.db"
)

// Config is a site file made ready to use.
type Config struct {
	File   string
	Radius *radius.Config
	Policy *engine.Policy
	Socket string // of the admin API
	Admin  Admin
	Store  string // the bbolt file
	// StatusWhileUsable leaves Status-Servers unanswered while the store cannot
	// be read, so that the NAS turns to another server (RFC 5997 section 4.2).
	StatusWhileUsable bool
	Routers           []coa.Router // the NASes as they are told of live sessions
	Campaigns         coa.Rules
	Relay             coa.RelayConfig
	// Grants and Restrictions are the limits of overrides.
	Grants, Restrictions OverrideLimits
	Directory            *ldapsync.Config // that contracts come from; nil: none
	LogLevel             string           // debug, info, warn or error
	LogJSON              bool
	Sessions             Sessions

	profiles map[string]dict.ProfileSpec // those that NASes have, by name
}

// Load reads a site file, the policy and the other files that it names. The
// Config is nil when there is anything worse than a warning.
func Load(file string) (*Config, yamldoc.Problems) {
	src, err := os.ReadFile(file)
	if err != nil {
		return nil, yamldoc.Problems{{File: file, Line: 1, Column: 1, Text: fmt.Sprintf("cannot read the site file: %v", err)}}
	}
	return Parse(file, src)
}

// Parse is Load with the text of the site file at hand. Names of further files
// are relative to the folder of file.
func Parse(file string, src []byte) (*Config, yamldoc.Problems) {
	raw, doc, problems := yamldoc.Decode[spec](file, src)
	if unreadable(problems) {
		return nil, problems
	}
	c := &compiler{spec: raw, doc: doc, file: file, dir: filepath.Dir(file), profiles: map[string]*dict.Profile{}, specs: map[string]dict.ProfileSpec{}}
	config := c.compile(file)
	problems = problems.With(c.problems...)
	problems = append(problems, c.elsewhere...)
	if problems.Err() != nil {
		return nil, problems
	}
	return config, problems
}

// unreadable reports whether the file is no document at all: then nothing can
// be said of what it means.
func unreadable(problems yamldoc.Problems) bool {
	return slices.ContainsFunc(problems, func(p yamldoc.Problem) bool { return p.Key == "" && !p.Warning })
}

// Schema returns the JSON Schema of the site file, for editors.
func Schema() ([]byte, error) { return yamldoc.Schema[spec]("sekisho.yaml") }

// compiler works out what a site file means, noting every mistake.
type compiler struct {
	spec      spec
	doc       *yamldoc.Document
	file      string
	dir       string
	clear     bool // a secret in the site file was seen
	problems  yamldoc.Problems
	elsewhere yamldoc.Problems // in files that the site file names

	dictionary *dict.Dictionary
	policy     *engine.Policy
	profiles   map[string]*dict.Profile // compiled so far
	specs      map[string]dict.ProfileSpec
	aaa        map[string]*radius.AAA // by name
}

func (c *compiler) problem(path []any, format string, args ...any) {
	c.problems = append(c.problems, c.doc.Problem(path, format, args...))
}

func (c *compiler) warning(path []any, format string, args ...any) {
	c.problems = append(c.problems, c.doc.Warning(path, format, args...))
}

func (c *compiler) compile(file string) *Config {
	c.loadPolicy()
	c.testPolicy()
	c.loadDictionaries()
	config := &Config{
		File:      file,
		Policy:    c.policy,
		Socket:    c.path(or(c.spec.Admin.Socket, DefaultSocket)),
		Store:     c.path(or(c.spec.Store.Path, DefaultStore)),
		LogLevel:  or(c.spec.Log.Level, "info"),
		LogJSON:   c.spec.Log.Format == "json",
		Admin:     c.admin(),
		Sessions:  c.sessions(),
		Directory: c.directory(),

		StatusWhileUsable: c.spec.Listen.StatusServer == "while-usable",

		Grants:       c.spec.Overrides.Grants.limits(),
		Restrictions: c.spec.Overrides.Restrictions.limits(),
	}
	config.Radius = &radius.Config{
		Policy:         c.policy,
		Dictionary:     c.dictionary,
		NAS:            c.nases(),
		Realms:         c.realms(),
		CleanupDelay:   c.positive(c.spec.Limits.CleanupDelay, "limits", "cleanup-delay"),
		RequestTime:    c.positive(c.spec.Limits.MaxRequestTime, "limits", "max-request-time"),
		DecisionBudget: c.positive(c.spec.Limits.DecisionBudget, "limits", "decision-budget"),
		MaxRequests:    c.spec.Limits.MaxRequests,
		NoSegmentation: c.spec.Limits.NoSegmentation,
	}
	c.listen(config.Radius)
	config.Routers, config.Campaigns, config.Relay = c.routers(config.Radius.NAS), c.spec.Campaigns.rules(), c.relay()
	c.checkUnused()
	config.profiles = c.specs
	return config
}

// positive reads a duration that must not be negative; zero is the default.
func (c *compiler) positive(d yamldoc.Duration, path ...any) time.Duration {
	if d < 0 {
		c.problem(path, "expected a duration above 0, got %s", time.Duration(d))
	}
	return time.Duration(d)
}

func or(value, otherwise string) string {
	if value == "" {
		return otherwise
	}
	return value
}

func (c *compiler) listen(r *radius.Config) {
	for _, a := range c.spec.Listen.Auth {
		r.Auth = append(r.Auth, a.AddrPort)
	}
	for _, a := range c.spec.Listen.Acct {
		r.Acct = append(r.Acct, a.AddrPort)
	}
	c.checkPorts(r)
	if len(r.Auth) == 0 {
		c.problem([]any{"listen", "auth"}, "expected at least one address to listen on")
	}
}

// checkPorts finds an address that is listened on twice; port 0 is another one
// each time.
func (c *compiler) checkPorts(r *radius.Config) {
	taken := map[netip.AddrPort]string{}
	check := func(key string, addrs []netip.AddrPort) {
		for i, a := range addrs {
			if before, twice := taken[a]; twice && a.Port() != 0 {
				c.problem([]any{"listen", key, i}, "%s is taken already, by %s", a, before)
			}
			taken[a] = "listen." + key
		}
	}
	check("auth", r.Auth)
	check("acct", r.Acct)
	check("coa", c.coaPorts())
}

// loadPolicy reads the policy that the site file names. What is wrong inside
// it is reported with the policy's own file name.
func (c *compiler) loadPolicy() {
	if c.spec.Policy == "" {
		return // missing: reported already
	}
	policy, problems := policyfile.Load(c.policyName())
	c.policy = policy
	c.elsewhere = append(c.elsewhere, problems...)
	if problems.Err() != nil {
		c.problem([]any{"policy"}, "the policy %s has errors", c.spec.Policy)
	}
}

// policyName is a shipped policy's name, or a file's path.
func (c *compiler) policyName() string {
	name := c.spec.Policy
	if strings.Contains(name, "/") || strings.HasSuffix(name, ".yaml") {
		return c.path(name)
	}
	return name
}

func (c *compiler) loadDictionaries() {
	c.dictionary = dict.Standard()
	for i, name := range c.spec.Dictionaries {
		grown, err := c.dictionary.WithFile(c.path(name))
		if err != nil {
			c.problem([]any{"dictionaries", i}, "%v", err)
			continue
		}
		c.dictionary = grown
	}
}

// path makes the name of a further file relative to the site file's folder.
func (c *compiler) path(name string) string {
	if filepath.IsAbs(name) {
		return name
	}
	return filepath.Join(c.dir, name)
}
