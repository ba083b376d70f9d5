package store

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/fxamacker/cbor/v2"
	bolt "go.etcd.io/bbolt"

	"sekisho/engine"
)

// Token lets a program in by a secret, of which the store knows the hash only.
type Token struct {
	Name    string   // unique among those that stand
	Role    string   // the store does not know what it may
	Hash    [32]byte // of the secret
	Author  string   // By.Who of whoever made it
	Created time.Time
	Expires time.Time   // zero is never
	Revoked *Revocation // nil while it stands
}

// Stands tells whether the token is neither revoked nor expired.
func (t *Token) Stands(at time.Time) bool {
	return t.Revoked == nil && (t.Expires.IsZero() || at.Before(t.Expires))
}

var (
	tokensBucket      = []byte("tokens")       // folded name: tokenRow
	tokenHashesBucket = []byte("token-hashes") // hash: folded name; those not revoked
)

func createTokens(tx *bolt.Tx) error {
	for _, name := range [][]byte{tokensBucket, tokenHashesBucket} {
		if _, err := tx.CreateBucketIfNotExists(name); err != nil {
			return err
		}
	}
	return nil
}

// tokenRow is how a token lies in the file; see contractRow and overrideRow.
type tokenRow struct {
	Name    string         `cbor:"1,keyasint"`
	Role    string         `cbor:"2,keyasint"`
	Hash    []byte         `cbor:"3,keyasint"`
	Author  string         `cbor:"4,keyasint"`
	Created int64          `cbor:"5,keyasint"`
	Expires int64          `cbor:"6,keyasint,omitempty"`
	Revoked *revocationRow `cbor:"7,keyasint,omitempty"`
}

// AddToken stores a token and gives it as it was stored: of t it takes Name,
// Role, Hash and Expires. ErrExists where a token of that name, or that hash,
// stands; FieldErrors; ErrFull.
func (s *Store) AddToken(by By, t Token) (Token, error) {
	t, bad := tidyToken(t)
	err := bad.orNil()
	if err == nil {
		err = s.write(func(tx *bolt.Tx) error {
			t.Author, t.Created = by.Who, s.now()
			return s.addToken(tx, by, t)
		})
	}
	if err != nil {
		return Token{}, fmt.Errorf("token %q: %w", t.Name, err)
	}
	return t, nil
}

func tidyToken(t Token) (Token, FieldErrors) {
	var bad FieldErrors
	for _, f := range []field{{"name", &t.Name, true, maxAccount}, {"role", &t.Role, true, maxAccount}} {
		*f.value = strings.TrimSpace(*f.value)
		bad = bad.text(f)
	}
	t.Expires, t.Revoked = wall(t.Expires), nil
	if !t.Expires.IsZero() && t.Expires.After(lastTime) {
		bad = append(bad, FieldError{"expires", stamp(t.Expires) + " is too late"})
	}
	return t, bad
}

func (s *Store) addToken(tx *bolt.Tx, by By, t Token) error {
	if !t.Expires.IsZero() && !t.Expires.After(t.Created) {
		return FieldErrors{{"expires", fmt.Sprintf("%s is in the past, it is %s", stamp(t.Expires), stamp(t.Created))}}
	}
	old, found, err := getToken(tx, engine.Fold(t.Name))
	switch {
	case err != nil:
		return err
	case found && old.Stands(t.Created), tx.Bucket(tokenHashesBucket).Get(t.Hash[:]) != nil:
		return ErrExists
	case found: // expired, perhaps: its secret must not open anything again
		if err := tx.Bucket(tokenHashesBucket).Delete(old.Hash[:]); err != nil {
			return err
		}
	}
	if err := putToken(tx, t); err != nil {
		return err
	}
	return s.audit(tx, Entry{By: by, Op: "token.create", Subject: t.Name, After: auditedToken(&t)})
}

// RevokeToken ends a token at once. ErrNotFound, ErrRevoked, ErrFull.
func (s *Store) RevokeToken(by By, name string) error {
	err := s.write(func(tx *bolt.Tx) error {
		t, found, err := getToken(tx, engine.Fold(name))
		switch {
		case err != nil:
			return err
		case !found:
			return ErrNotFound
		case t.Revoked != nil:
			return fmt.Errorf("%w, at %s by %s", ErrRevoked, stamp(t.Revoked.At), t.Revoked.By)
		}
		before := auditedToken(&t)
		t.Revoked = &Revocation{At: s.now(), By: by.Who, Reason: by.Why}
		if err := putToken(tx, t); err != nil {
			return err
		}
		return s.audit(tx, Entry{By: by, Op: "token.revoke", Subject: t.Name, Before: before, After: auditedToken(&t)})
	})
	if err != nil {
		return fmt.Errorf("token %q: %w", name, err)
	}
	return nil
}

// Tokens lists all tokens by their folded names, also those that are over.
func (s *Store) Tokens() ([]Token, error) {
	var all []Token
	err := s.view(func(tx *bolt.Tx) error {
		return tx.Bucket(tokensBucket).ForEach(func(_, v []byte) error {
			t, err := decodeToken(v)
			all = append(all, t)
			return err
		})
	})
	if err != nil {
		return nil, fmt.Errorf("listing tokens: %w", err)
	}
	return all, nil
}

// TokenByHash finds the token whose secret has this hash and which stands now:
// ErrNotFound where there is none, or it was revoked; ErrEnded where it expired.
func (s *Store) TokenByHash(hash [32]byte) (t Token, err error) {
	err = s.view(func(tx *bolt.Tx) error {
		name := tx.Bucket(tokenHashesBucket).Get(hash[:])
		if name == nil {
			return ErrNotFound
		}
		var found bool
		if t, found, err = getToken(tx, string(name)); err == nil && !found {
			err = ErrNotFound
		}
		if err == nil && !t.Stands(s.now()) {
			err = fmt.Errorf("%w, at %s", ErrEnded, stamp(t.Expires))
		}
		return err
	})
	if err != nil {
		return Token{}, fmt.Errorf("token: %w", err)
	}
	return t, nil
}

func getToken(tx *bolt.Tx, folded string) (t Token, found bool, err error) {
	v := tx.Bucket(tokensBucket).Get([]byte(folded))
	if v == nil {
		return Token{}, false, nil
	}
	t, err = decodeToken(v)
	return t, true, err
}

func putToken(tx *bolt.Tx, t Token) error {
	value, err := cbor.Marshal(tokenRow{t.Name, t.Role, t.Hash[:], t.Author, nanos(t.Created), nanos(t.Expires), t.Revoked.row()})
	if err != nil {
		return err
	}
	name := []byte(engine.Fold(t.Name))
	if err := tx.Bucket(tokensBucket).Put(name, value); err != nil {
		return err
	}
	if t.Revoked != nil {
		return tx.Bucket(tokenHashesBucket).Delete(t.Hash[:])
	}
	return tx.Bucket(tokenHashesBucket).Put(t.Hash[:], name)
}

func decodeToken(value []byte) (t Token, err error) {
	var r tokenRow
	if err := cbor.Unmarshal(value, &r); err != nil {
		return Token{}, fmt.Errorf("token: %w: %w", ErrDamaged, err)
	}
	if len(r.Hash) != len(t.Hash) {
		return Token{}, fmt.Errorf("token %s: %w: a hash of %d bytes", r.Name, ErrDamaged, len(r.Hash))
	}
	return Token{
		Name: r.Name, Role: r.Role, Hash: [32]byte(r.Hash), Author: r.Author,
		Created: fromNanos(r.Created), Expires: fromNanos(r.Expires), Revoked: r.Revoked.revocation(),
	}, nil
}

// auditedToken is a token as it stands in the audit: without its hash, which is
// of no use to readers.
func auditedToken(t *Token) json.RawMessage {
	v := struct {
		Role    string    `json:"role"`
		Expires time.Time `json:"expires,omitzero"`
		Revoked time.Time `json:"revoked,omitzero"`
	}{Role: t.Role, Expires: t.Expires}
	if t.Revoked != nil {
		v.Revoked = t.Revoked.At
	}
	text, _ := json.Marshal(v) // texts and times within years of four digits
	return text
}
