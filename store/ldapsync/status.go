package ldapsync

import (
	"errors"
	"maps"
	"strings"
	"time"

	"github.com/go-ldap/ldap/v3"

	"sekisho/store"
)

// Phase is what a Syncer is doing.
type Phase string

// The phases.
const (
	Connecting Phase = "connecting"
	Reading    Phase = "reading"
	Applying   Phase = "applying"
	Following  Phase = "following" // nothing to do: changes come by themselves
	Waiting    Phase = "waiting"   // for the next attempt or poll
	Holding    Phase = "held"      // for somebody to approve
)

// Status is how the following of a directory goes.
type Status struct {
	Method      Method
	Phase       Phase
	Server      string // that is or was asked last
	Started     time.Time
	LastSuccess time.Time // when the contracts were last known to be the directory's; zero: not since Started
	Read        int       // entries that this reading has read
	Failures    int       // attempts in a row
	NextTry     time.Time
	LastError   string
	LastErrorAt time.Time
	Errors      map[string]uint64 // by kind: connect, tls, bind, search, partial, guard, held, store
	Added       uint64            // contracts, since Started
	Changed     uint64
	Deleted     uint64
	Unmapped    int
	Courses     []UnknownCourse
	Directory   store.DirectoryState
}

// Status tells how it goes.
func (s *Syncer) Status() Status {
	state, _ := s.store.Directory(Source) // a closed store shows as nothing
	s.mu.Lock()
	defer s.mu.Unlock()
	status := s.status
	status.Errors = maps.Clone(s.status.Errors)
	status.Unmapped, status.Courses = s.findings.count(), s.findings.unknownCourses()
	status.Directory = state
	return status
}

// Unmapped lists up to n entries of which no contract could be made, in the
// order of their DNs, since the last comparison of this process.
func (s *Syncer) Unmapped(n int) []Unmapped {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.findings.first(n)
}

// Age is how long the contracts have not been known to be the directory's.
func (s *Status) Age(now time.Time) time.Duration {
	since := s.LastSuccess
	if since.IsZero() {
		since = s.Directory.Applied
	}
	if since.IsZero() {
		since = s.Started
	}
	return max(now.Sub(since), 0)
}

func (s *Syncer) setPhase(p Phase) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.status.Phase = p
}

func (s *Syncer) found(f findings) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.findings.add(f)
}

// succeeded notes that the contracts are the directory's now.
func (s *Syncer) succeeded(r store.DirectoryReport) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.status.LastSuccess, s.status.Failures, s.status.NextTry = s.clock.Now(), 0, time.Time{}
	s.status.Added += uint64(r.Added)
	s.status.Changed += uint64(r.Changed)
	s.status.Deleted += uint64(r.Deleted)
}

// sayAgain is how often the same error is logged.
const sayAgain = 10 * time.Minute

// note counts an error and logs it, unless it was logged a short while ago.
func (s *Syncer) note(err error, kind string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.clock.Now()
	s.status.Errors[kind]++
	s.status.LastError, s.status.LastErrorAt = err.Error(), now
	state := s.status
	if at, known := s.said[kind]; known && now.Sub(at) < sayAgain {
		return
	}
	s.said[kind] = now
	log := s.log.Warn
	if age := state.Age(now); age > s.config.Times.Stale {
		log = s.log.Error
	}
	log("the directory cannot be followed: the contracts stay as they are", "kind", kind, "error", err, "last success", state.LastSuccess)
}

// kindOf names an error for the metrics. What go-ldap says of a connection that
// breaks off is no *ldap.Error, and of TLS often only a text.
func kindOf(err error) string {
	var partial *PartialError
	var server *ldap.Error
	switch {
	case errors.As(err, &partial):
		return "partial"
	case errors.Is(err, store.ErrClosed), errors.Is(err, store.ErrFull), errors.Is(err, store.ErrDamaged):
		return "store"
	case strings.Contains(err.Error(), "x509: "), strings.Contains(err.Error(), "tls: "), ldap.IsErrorWithCode(err, ldap.LDAPResultConfidentialityRequired):
		return "tls"
	case ldap.IsErrorAnyOf(err, ldap.LDAPResultInvalidCredentials, ldap.LDAPResultInappropriateAuthentication, ldap.LDAPResultInsufficientAccessRights, ldap.ErrorEmptyPassword):
		return "bind"
	case !errors.As(err, &server), server.ResultCode == ldap.ErrorNetwork:
		return "connect"
	}
	return "search"
}
