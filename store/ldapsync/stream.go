package ldapsync

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"

	"github.com/go-ldap/ldap/v3"

	"sekisho/store"
)

// PartialError says that a server did not give all that there is.
type PartialError struct{ Reason string }

// Error says what is missing.
func (e *PartialError) Error() string { return "the answer is not complete: " + e.Reason }

// stream hands the entries of a search to take as they come, a page at a time
// where size is not 0. It returns nil only when all of them came.
func stream(ctx context.Context, conn Connection, r *ldap.SearchRequest, size int, take func(*ldap.Entry) error) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel() // lets go-ldap drop what was not read
	if size == 0 {
		return page(ctx, conn, r, take, func(ldap.Control) {})
	}
	paging := ldap.NewControlPaging(uint32(size))
	r.Controls = append(r.Controls, paging)
	for {
		var answer *ldap.ControlPaging
		err := page(ctx, conn, r, take, func(c ldap.Control) {
			if p, ok := c.(*ldap.ControlPaging); ok {
				answer = p
			}
		})
		switch {
		case err != nil:
			return err
		case answer == nil:
			return &PartialError{"the server does not say whether this was the last page"}
		case len(answer.Cookie) == 0:
			return nil
		}
		paging.SetCookie(answer.Cookie)
	}
}

func page(ctx context.Context, conn Connection, r *ldap.SearchRequest, take func(*ldap.Entry) error, control func(ldap.Control)) error {
	response := conn.Search(ctx, r)
	for response.Next() {
		if to := response.Referral(); to != "" {
			return referred(to)
		}
		e := response.Entry()
		if e == nil {
			for _, c := range response.Controls() {
				control(c)
			}
			continue
		}
		if err := take(e); err != nil {
			return err
		}
	}
	return ended(ctx, conn, response)
}

func referred(to string) error {
	return &PartialError{"the server refers to " + to + " for a part of it; follow that server, or choose a base below it"}
}

// ended tells whether an answer ended as it should. That there is no error is
// not enough: it is the same after a cancel, and on a connection that is gone.
func ended(ctx context.Context, conn Connection, response ldap.Response) error {
	err := response.Err()
	switch {
	case ldap.IsErrorWithCode(err, ldap.LDAPResultSizeLimitExceeded):
		return &PartialError{fmt.Sprintf("%v; raise the server's limit for us, or say page-size", err)}
	case err != nil:
		return err
	case ctx.Err() != nil:
		return ctx.Err()
	}
	return conn.Lost()
}

// request is the search for contracts. It is made anew each time, for go-ldap
// adds its controls to the one that it is given.
func (c *Config) request(filter string, more ...string) *ldap.SearchRequest {
	r := ldap.NewSearchRequest(c.Search.Base, c.Search.Scope, ldap.NeverDerefAliases, 0, 0, false, filter, append(c.Mapping.Attributes(), more...), nil)
	if c.Method == USN {
		r.Controls = append(r.Controls, ldap.NewControlString(domainScope, false, ""))
	}
	return r
}

// domainScope is LDAP_SERVER_DOMAIN_SCOPE_OID: Active Directory gives no
// referrals to its other partitions then.
const domainScope = "1.2.840.113556.1.4.1339"

// and narrows the filter of the site file.
func and(filter, more string) string { return "(&" + filter + more + ")" }

// idAttributes hold the id of an entry.
var idAttributes = []string{"entryUUID", "objectGUID", "nsUniqueId"}

var errNoID = errors.New("the entry has none of " + strings.Join(idAttributes, ", ") + ", or we may not read it")

// entryID reads the id that an entry shows as an attribute.
func entryID(e *ldap.Entry) (store.EntryID, error) {
	if raw := e.GetEqualFoldRawAttributeValue("objectGUID"); len(raw) == len(store.EntryID{}) {
		return store.EntryID(raw), nil
	}
	for _, name := range []string{"entryUUID", "nsUniqueId"} {
		text := e.GetEqualFoldAttributeValue(name)
		raw, err := hex.DecodeString(strings.ReplaceAll(text, "-", ""))
		if err == nil && len(raw) == len(store.EntryID{}) {
			return store.EntryID(raw), nil
		}
	}
	return store.EntryID{}, errNoID
}
