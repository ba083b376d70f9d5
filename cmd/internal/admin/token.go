package admin

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"time"

	"sekisho/store"
)

// TokenFinder finds a token by the hash of its secret; see store.Store.
type TokenFinder interface {
	TokenByHash([32]byte) (store.Token, error)
}

// secretPrefix tells what a secret is for, wherever somebody finds one.
const secretPrefix = "sekisho_"

// newSecret makes the secret of a token: 256 bits, which nobody finds by
// trying, so that a plain hash of it is enough to keep.
func newSecret() string {
	var random [32]byte
	_, _ = rand.Read(random[:]) // never fails (crypto/rand)
	return secretPrefix + base64.RawURLEncoding.EncodeToString(random[:])
}

// hashOf is what the store knows of a secret. It is what is looked up: how long
// that takes tells of the hash, from which nobody comes back to the secret.
func hashOf(secret string) [32]byte { return sha256.Sum256([]byte(secret)) }

// bearer tells who asks by a token (RFC 6750).
func (d *door) bearer(r *http.Request, from string) (Caller, *Problem) {
	nobody := Caller{Who: from, From: from}
	scheme, secret, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	if !strings.EqualFold(scheme, "Bearer") || d.tokens == nil {
		return nobody, &Problem{Status: http.StatusUnauthorized, Detail: "expected a token: Authorization: Bearer TOKEN"}
	}
	token, err := d.tokens.TokenByHash(hashOf(strings.TrimSpace(secret)))
	switch {
	case errors.Is(err, store.ErrEnded):
		d.refused.note(from, "a token that has expired")
		return nobody, &Problem{Status: http.StatusUnauthorized, Detail: "the token has expired"}
	case errors.Is(err, store.ErrNotFound):
		d.refused.note(from, "no token of ours")
		return nobody, &Problem{Status: http.StatusUnauthorized, Detail: "this is no token, or one that was revoked"}
	case err != nil:
		return nobody, asProblem(err)
	}
	role, err := ParseRole(token.Role)
	if err != nil {
		return nobody, &Problem{Status: http.StatusForbidden, Detail: fmt.Sprintf("token %s: %v", token.Name, err)}
	}
	return Caller{Who: "token " + token.Name, From: from, Role: role}, nil
}

// refusals logs tokens that are none: the first of an address at once, then how
// many there were, at most every pause. Whoever tries many must not fill the
// log.
type refusals struct {
	log   *slog.Logger
	now   func() time.Time
	mu    sync.Mutex
	since map[string]refused // by address
}

type refused struct {
	logged time.Time
	more   int // since then
}

const (
	refusalPause = time.Minute
	// maxRefused bounds the addresses that are remembered.
	maxRefused = 1000
)

func (r *refusals) note(from, what string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	now, last := r.now(), r.since[from]
	if now.Sub(last.logged) < refusalPause {
		last.more++
		r.since[from] = last
		return
	}
	if len(r.since) >= maxRefused || r.since == nil {
		r.since = map[string]refused{}
	}
	r.since[from] = refused{logged: now}
	r.log.Warn("refused at the door", "from", from, "why", what, "unlogged", last.more)
}
