// Package ldapsync keeps contracts as a directory has them: OpenLDAP and 389DS
// by syncrepl (RFC 4533), Active Directory by uSNChanged, any other by
// modifyTimestamp, each with a comparison of everything from time to time. It
// reads the directory and never writes to it.
//
// It runs beside the path of packets, never in it: whatever the directory does,
// the contracts in the store go on deciding. A result that is not complete is an
// error, never the absence of what it lacks.
package ldapsync

import (
	"crypto/sha256"
	"crypto/tls"
	"encoding/json"
	"fmt"
	"time"

	"github.com/go-ldap/ldap/v3"

	"sekisho/store"
)

// Source is the name under which the store knows the directory.
const Source = "ldap"

// Method is how changes are found.
type Method string

// The methods.
const (
	Syncrepl  Method = "syncrepl"  // RFC 4533 refreshAndPersist
	Timestamp Method = "timestamp" // modifyTimestamp, asked again and again
	USN       Method = "usn"       // uSNChanged of Active Directory
)

// Config says which directory is followed and how.
type Config struct {
	Connect Connect
	Search  Search
	Method  Method
	Mapping *Mapping
	Guards  store.DirectoryGuards
	Times   Times
	// KnownCourse tells whether the policy knows a course; nil: all are known.
	KnownCourse func(string) bool
}

// Connect says how a server is reached.
type Connect struct {
	Servers  []string // URLs: ldap://, ldaps:// or ldapi://; tried in turn
	StartTLS bool
	TLS      *tls.Config // roots and certificate; nil: the system's roots
	BindDN   string      // empty and not External: anonymous
	Password []byte
	External bool          // SASL EXTERNAL: the client certificate, or the user of ldapi
	Timeout  time.Duration // of silence when something should come; 0: 30 s

	// What ldapsearch is told, see CommandLines.
	PasswordFile, CAFile, CertFile, KeyFile string
}

// Search says which entries are contracts.
type Search struct {
	Base     string
	Scope    int // ldap.ScopeWholeSubtree, …
	Filter   string
	PageSize int // 0: all in one answer
}

// Scopes are the scopes by their names.
var Scopes = map[string]int{"base": ldap.ScopeBaseObject, "one": ldap.ScopeSingleLevel, "sub": ldap.ScopeWholeSubtree}

// CheckBase says what is wrong with the base.
func (s Search) CheckBase() error {
	if _, err := ldap.ParseDN(s.Base); err != nil {
		return fmt.Errorf("%q is no DN: %w", s.Base, err)
	}
	return nil
}

// CheckFilter says what is wrong with the filter.
func (s Search) CheckFilter() error {
	if _, err := ldap.CompileFilter(s.Filter); err != nil {
		return fmt.Errorf("%q is no filter such as (objectClass=ispContract): %w", s.Filter, err)
	}
	return nil
}

// Times are how often and how long.
type Times struct {
	Interval    time.Duration // between two polls; 0: 1 min
	FullCompare time.Duration // between two comparisons of everything; 0: 24 h
	Overlap     time.Duration // by how much a poll looks back; 0: 5 min
	Grace       time.Duration // that a contract outlives its entry by; 0: none
	Held        time.Duration // until what is held is compared anew; 0: 10 min
	Window      time.Duration // within which guards add changes up; 0: 1 h
	Stale       time.Duration // without success, after which it is warned of; 0: 1 h
}

func (t Times) withDefaults() Times {
	for value, otherwise := range map[*time.Duration]time.Duration{
		&t.Interval: time.Minute, &t.FullCompare: 24 * time.Hour, &t.Overlap: 5 * time.Minute,
		&t.Held: 10 * time.Minute, &t.Window: time.Hour, &t.Stale: time.Hour,
	} {
		if *value == 0 {
			*value = otherwise
		}
	}
	return t
}

// fingerprintLen is how many octets of a cookie in the store tell by which
// configuration it was got.
const fingerprintLen = 8

// fingerprint changes with everything that makes other contracts out of the same
// entries: then a cookie of before is worth nothing, for entries that have not
// changed would not be read anew.
func (c *Config) fingerprint() []byte {
	text, _ := json.Marshal([]any{c.Method, c.Search.Base, c.Search.Scope, c.Search.Filter, c.Mapping.Fields}) // plain values
	sum := sha256.Sum256(text)
	return sum[:fingerprintLen]
}

// seal makes a server's cookie one for the store; an empty one stays empty.
func (c *Config) seal(cookie []byte) []byte {
	if len(cookie) == 0 {
		return nil
	}
	return append(c.fingerprint(), cookie...)
}

// open gives the server's cookie, nil where there is none of this configuration.
func (c *Config) open(sealed []byte) []byte {
	if len(sealed) <= fingerprintLen || string(sealed[:fingerprintLen]) != string(c.fingerprint()) {
		return nil
	}
	return sealed[fingerprintLen:]
}
