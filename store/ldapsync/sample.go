package ldapsync

import (
	"cmp"
	"context"
	"errors"

	"github.com/go-ldap/ldap/v3"

	"sekisho/engine"
	"sekisho/store"
)

// Sampled is an entry with what becomes of it.
type Sampled struct {
	DN        string
	Contracts []engine.Contract // empty where there is an Err
	Err       error             // why no contract can be made of it
}

// errEnough ends a search that has shown enough.
var errEnough = errors.New("enough")

// Sample connects to a server and hands the first n entries to take. It tells
// whether the server offers what the method needs.
func (c *Config) Sample(ctx context.Context, server string, n int, take func(Sampled) error) (offered bool, err error) {
	conn, err := c.Connect.Dial(ctx, server)
	if err != nil {
		return false, err
	}
	defer conn.Close()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	if offered, err = c.offered(ctx, conn); err != nil {
		return false, err
	}
	size := c.Search.PageSize
	if size > n {
		size = n
	}
	err = stream(ctx, conn, c.request(c.Search.Filter, idAttributes...), size, func(e *ldap.Entry) error {
		if n--; n < 0 {
			return errEnough
		}
		sampled := Sampled{DN: e.DN}
		sampled.Contracts, sampled.Err = c.Mapping.Contracts(e)
		for i := range sampled.Contracts {
			sampled.Err = cmp.Or(sampled.Err, store.CheckContract(sampled.Contracts[i]))
		}
		if c.Method != Syncrepl && sampled.Err == nil {
			_, sampled.Err = entryID(e)
		}
		if sampled.Err != nil {
			sampled.Contracts = nil
		}
		return take(sampled)
	})
	if errors.Is(err, errEnough) {
		err = nil
	}
	return offered, err
}

// offered asks the root DSE.
func (c *Config) offered(ctx context.Context, conn Connection) (yes bool, err error) {
	attribute, value := "supportedControl", ldap.ControlTypeSyncRequest
	switch c.Method {
	case Timestamp:
		return true, nil
	case USN:
		attribute, value = "highestCommittedUSN", ""
	}
	err = stream(ctx, conn, rootDSE(attribute), 0, func(e *ldap.Entry) error {
		for _, v := range e.GetEqualFoldAttributeValues(attribute) {
			yes = yes || value == "" || v == value
		}
		return nil
	})
	return yes, err
}

// Equal tells whether two configurations follow the same directory in the same
// way. KnownCourse does not count.
func (c *Config) Equal(o *Config) bool {
	return c.plain() == o.plain() && sameTLS(c.Connect.TLS, o.Connect.TLS)
}
