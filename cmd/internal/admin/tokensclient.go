package admin

import (
	"context"
	"io"
	"net/http"
	"time"
)

// Token lets a program in. Its secret is shown once, when it is made.
type Token struct {
	Name    string      `json:"name"`
	Role    Role        `json:"role"`
	Author  string      `json:"author"`
	Created time.Time   `json:"created"`
	Expires *time.Time  `json:"expires" doc:"null: never"`
	State   string      `json:"state" enum:"active,ended,revoked"`
	Revoked *Revocation `json:"revoked,omitempty"`
}

// NewToken is what a caller says of a token.
type NewToken struct {
	Name    string `json:"name" minLength:"1" example:"noc"`
	Role    Role   `json:"role"`
	Expires string `json:"expires,omitempty" doc:"RFC 3339, or a local date or date-time; in 90 days, if not said; \"never\" is possible" example:"2027-04-01"`
	Reason  string `json:"reason,omitempty" doc:"why, for the audit"`
}

// MadeToken is a new token with its secret, which is nowhere else.
type MadeToken struct {
	Token  Token  `json:"token"`
	Secret string `json:"secret" doc:"the token itself: Authorization: Bearer SECRET"`
}

// Identity is who asks, as the daemon knows them.
type Identity struct {
	Who  string `json:"who"`
	From string `json:"from"`
	Role Role   `json:"role"`
}

// WhoAmI asks as whom the daemon knows this client.
func (c *Client) WhoAmI(ctx context.Context) (Identity, error) {
	var id Identity
	err := c.get(ctx, "/v1/whoami", nil, &id)
	return id, err
}

// CreateToken makes a token; its secret cannot be had again.
func (c *Client) CreateToken(ctx context.Context, t NewToken) (MadeToken, error) {
	var made MadeToken
	err := c.sendJSON(ctx, http.MethodPost, "/v1/tokens", nil, nil, t, &made)
	return made, err
}

// Tokens lists all tokens by their names, also those that are over.
func (c *Client) Tokens(ctx context.Context) ([]Token, error) {
	var list TokenList
	err := c.get(ctx, "/v1/tokens", nil, &list)
	return list.Tokens, err
}

// TokenList is all tokens.
type TokenList struct {
	Tokens []Token `json:"tokens"`
}

// RevokeToken ends a token at once.
func (c *Client) RevokeToken(ctx context.Context, name, reason string) (Token, error) {
	var t Token
	err := c.sendJSON(ctx, http.MethodPost, "/v1/tokens/"+pathSegment(name)+"/revoke", nil, nil, Reason{reason}, &t)
	return t, err
}

// Backup writes a copy of the daemon's whole store, itself a store file. An
// error says that w has no complete copy. The reason is for the audit and may be
// empty.
func (c *Client) Backup(ctx context.Context, w io.Writer, reason string) error {
	return c.download(ctx, http.MethodPost, "/v1/backup", because(reason), w)
}
