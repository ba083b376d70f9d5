package store

import (
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestTokens(t *testing.T) {
	t.Parallel()
	s, clock := openAtNoon(t)
	noc, err := s.AddToken(tester, Token{Name: "NOC", Role: "operator", Hash: [32]byte{1}, Expires: noon.Add(time.Hour)})
	if err != nil {
		t.Fatal(err)
	}
	if found, err := s.TokenByHash(noc.Hash); cmp.Diff(noc, found) != "" || err != nil {
		t.Errorf("found %+v, %v", found, err)
	}
	if _, err := s.TokenByHash([32]byte{2}); !errors.Is(err, ErrNotFound) {
		t.Errorf("another secret: %v", err)
	}
	if _, err := s.AddToken(tester, Token{Name: "noc", Role: "viewer", Hash: [32]byte{2}}); !errors.Is(err, ErrExists) {
		t.Errorf("a second one of that name: %v", err)
	}
	if _, err := s.AddToken(tester, Token{Name: "other", Role: "viewer", Hash: noc.Hash}); !errors.Is(err, ErrExists) {
		t.Errorf("a second one of that secret: %v", err)
	}
	clock.set(noon.Add(time.Hour))
	if _, err := s.TokenByHash(noc.Hash); !errors.Is(err, ErrEnded) {
		t.Errorf("expired: %v", err)
	}
	again, err := s.AddToken(tester, Token{Name: "noc", Role: "viewer", Hash: [32]byte{3}})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.TokenByHash(noc.Hash); !errors.Is(err, ErrNotFound) {
		t.Errorf("replaced: %v", err)
	}
	if err := s.RevokeToken(By{Who: "boss", Why: "lost"}, "Noc"); err != nil {
		t.Fatal(err)
	}
	if _, err := s.TokenByHash(again.Hash); !errors.Is(err, ErrNotFound) {
		t.Errorf("revoked: %v", err)
	}
	if err := s.RevokeToken(tester, "noc"); !errors.Is(err, ErrRevoked) {
		t.Errorf("revoked twice: %v", err)
	}
	if err := s.RevokeToken(tester, "nobody"); !errors.Is(err, ErrNotFound) {
		t.Errorf("of no such name: %v", err)
	}
	again.Revoked = &Revocation{noon.Add(time.Hour), "boss", "lost"}
	all, err := s.Tokens()
	if diff := cmp.Diff([]Token{again}, all); diff != "" || err != nil {
		t.Error(diff, err)
	}
}

func TestTokenRefused(t *testing.T) {
	t.Parallel()
	s, _ := openAtNoon(t)
	for name, token := range map[string]Token{
		"no name": {Role: "viewer"}, "no role": {Name: "n"}, "over": {Name: "n", Role: "viewer", Expires: noon},
		"a control character": {Name: "a\x00", Role: "viewer"}, "far off": {Name: "n", Role: "viewer", Expires: noon.AddDate(300, 0, 0)},
	} {
		var bad FieldErrors
		if _, err := s.AddToken(tester, token); !errors.As(err, &bad) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
