package admin

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"sekisho/engine"
	"sekisho/store"
)

// TokenStore holds the tokens; see store.Store.
type TokenStore interface {
	AddToken(store.By, store.Token) (store.Token, error)
	Tokens() ([]store.Token, error)
	RevokeToken(by store.By, name string) error
}

// tokenLife is how long a token lives that is not told.
const tokenLife = 90 * 24 * time.Hour

// neverExpires is what a caller says who wants a token for ever.
const neverExpires = "never"

// tokens are the operations on tokens; now is in the timezone in which dates
// are meant.
type tokens struct {
	store TokenStore
	now   func() time.Time
}

// MountTokens serves the tokens that let programs in, and who asks.
func MountTokens(r *Routes, s TokenStore, now func() time.Time) {
	t := tokens{s, now}
	ask(r, Anybody, huma.Operation{
		OperationID: "whoami", Method: http.MethodGet, Path: "/v1/whoami", Tags: tagAccess,
		Summary: "As whom the daemon knows who asks",
	}, func(ctx context.Context, _ *none) (Identity, error) { return Identity(CallerFrom(ctx)), nil })
	ask(r, Admin, huma.Operation{
		OperationID: "list-tokens", Method: http.MethodGet, Path: "/v1/tokens", Tags: tagAccess,
		Summary: "All tokens, also those that are over",
	}, t.list)
	ask(r, Admin, huma.Operation{
		OperationID: "create-token", Method: http.MethodPost, Path: "/v1/tokens", Tags: tagAccess, DefaultStatus: http.StatusCreated,
		Summary:     "Make a token",
		Description: "The answer holds the secret, once: the daemon keeps a hash of it.",
	}, t.create)
	ask(r, Admin, huma.Operation{
		OperationID: "revoke-token", Method: http.MethodPost, Path: "/v1/tokens/{name}/revoke", Tags: tagAccess,
		Summary: "End a token at once",
	}, t.revoke)
}

func (t tokens) wire(k *store.Token) (Token, error) {
	now := t.now()
	role, err := ParseRole(k.Role)
	w := Token{Name: k.Name, Role: role, Author: k.Author, Created: k.Created, Expires: instantOf(k.Expires), Revoked: revocationOf(k.Revoked)}
	switch {
	case k.Revoked != nil:
		w.State = string(store.Revoked)
	case !k.Stands(now):
		w.State = string(store.Ended)
	default:
		w.State = string(store.Active)
	}
	return w, err
}

func (t tokens) list(context.Context, *none) (TokenList, error) {
	all, err := t.store.Tokens()
	list := TokenList{Tokens: make([]Token, 0, len(all))}
	for i := range all {
		one, _ := t.wire(&all[i]) // of an unknown role: it lets nobody in
		list.Tokens = append(list.Tokens, one)
	}
	return list, err
}

func (t tokens) create(ctx context.Context, in *body[NewToken]) (MadeToken, error) {
	expires, err := t.expiry(in.Body.Expires)
	if err != nil {
		return MadeToken{}, err
	}
	if in.Body.Role == Anybody {
		return MadeToken{}, unprocessable("a token needs a role: viewer, support, operator or admin")
	}
	secret, by := newSecret(), CallerFrom(ctx).by()
	by.Why = in.Body.Reason
	made, err := t.store.AddToken(by, store.Token{
		Name: in.Body.Name, Role: in.Body.Role.String(), Hash: hashOf(secret), Expires: expires,
	})
	if err != nil {
		return MadeToken{}, err
	}
	token, err := t.wire(&made)
	return MadeToken{Token: token, Secret: secret}, err
}

func (t tokens) expiry(text string) (time.Time, error) {
	switch text {
	case "":
		return t.now().Add(tokenLife), nil
	case neverExpires:
		return time.Time{}, nil
	}
	return Instant(text, t.now().Location())
}

type tokenRevocation struct {
	Name string `path:"name" example:"noc"`
	Body Reason
}

func (t tokens) revoke(ctx context.Context, in *tokenRevocation) (Token, error) {
	by := CallerFrom(ctx).by()
	by.Why = in.Body.Reason
	if err := t.store.RevokeToken(by, in.Name); err != nil {
		return Token{}, err
	}
	all, err := t.store.Tokens()
	for i := range all {
		if engine.Fold(all[i].Name) == engine.Fold(in.Name) {
			return t.wire(&all[i])
		}
	}
	return Token{}, err
}
