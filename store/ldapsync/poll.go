package ldapsync

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/go-ldap/ldap/v3"
)

// changed is a search for what has changed since a cookie, or for everything.
type changed struct {
	filter string
	cookie func() string // the next one, after the search
	note   func(*ldap.Entry)
}

// poll reads what has changed, or everything, and applies it.
func (v *visit) poll(ctx context.Context, prepare func(context.Context) (changed, error)) error {
	c, err := prepare(ctx)
	if err != nil {
		return err
	}
	r, err := v.newReading()
	if err != nil {
		return err
	}
	defer r.close()
	more := append([]string{"modifyTimestamp"}, idAttributes...)
	err = stream(ctx, v.conn, v.config.request(c.filter, more...), v.config.Search.PageSize, func(e *ldap.Entry) error {
		c.note(e)
		return r.putEntry(e)
	})
	if err != nil {
		return err
	}
	err = v.apply(ctx, r, v.cookie == nil, []byte(c.cookie()), true)
	v.setPhase(Waiting)
	return err
}

// generalized is the syntax of modifyTimestamp (RFC 4517 section 3.3.13) as
// servers write it.
const generalized = "20060102150405Z"

// byTimestamp finds what was modified since the latest modification that was
// seen, and a while before: entries may become visible out of order. The time is
// the server's, and never later than ours.
func (v *visit) byTimestamp(context.Context) (changed, error) {
	filter := v.config.Search.Filter
	var latest time.Time
	if v.cookie != nil {
		var err error
		if latest, err = time.Parse(generalized, string(v.cookie)); err != nil {
			v.cookie = nil
		} else {
			since := latest.Add(-v.config.Times.Overlap)
			filter = and(filter, "(modifyTimestamp>="+since.Format(generalized)+")")
		}
	}
	began := v.clock.Now().UTC()
	return changed{
		filter: filter,
		note: func(e *ldap.Entry) {
			text, _, _ := strings.Cut(strings.TrimSuffix(e.GetEqualFoldAttributeValue("modifyTimestamp"), "Z"), ".")
			if at, err := time.Parse(generalized, text+"Z"); err == nil && at.After(latest) {
				latest = at
			}
		},
		cookie: func() string {
			if latest.IsZero() {
				return ""
			}
			if latest.After(began) { // by a clock that is fast, which must not hide what others modify
				latest = began
			}
			if v.cookie == nil { // what changed while everything was read may have been read before
				latest = latest.Add(-v.clock.Now().Sub(began).Truncate(time.Second))
			}
			return latest.Format(generalized)
		},
	}, nil
}

// byUSN finds what was changed since an update sequence number, which means
// something to one domain controller only.
func (v *visit) byUSN(ctx context.Context) (changed, error) {
	controller, highest, err := v.rootUSN(ctx)
	if err != nil {
		return changed{}, err
	}
	filter := v.config.Search.Filter
	before, usn, _ := strings.Cut(string(v.cookie), "\n")
	if since, err := strconv.ParseInt(usn, 10, 64); err == nil && before == controller && since <= highest {
		filter = and(filter, fmt.Sprintf("(uSNChanged>=%d)", since+1))
	} else {
		v.cookie = nil // another controller, or one that was restored: compare
	}
	return changed{
		filter: filter,
		note:   func(*ldap.Entry) {},
		cookie: func() string { return controller + "\n" + strconv.FormatInt(highest, 10) },
	}, nil
}

// rootUSN asks which controller this is and how far it is. It is asked before
// the search, so that what changes meanwhile is found by the next one.
func (v *visit) rootUSN(ctx context.Context) (controller string, highest int64, err error) {
	err = stream(ctx, v.conn, rootDSE("dsServiceName", "highestCommittedUSN"), 0, func(e *ldap.Entry) error {
		controller = e.GetEqualFoldAttributeValue("dsServiceName")
		highest, err = strconv.ParseInt(e.GetEqualFoldAttributeValue("highestCommittedUSN"), 10, 64)
		return err
	})
	if err == nil && (controller == "" || highest == 0) {
		err = &PartialError{"the server shows neither dsServiceName nor highestCommittedUSN: is it a domain controller?"}
	}
	return controller, highest, err
}
