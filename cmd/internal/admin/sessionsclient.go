package admin

import (
	"context"
	"iter"
	"net/url"
	"strconv"
)

// SessionQuery says which sessions are meant; what is empty means any.
type SessionQuery struct {
	Account, NAS, Area string
	Action             string // that the router was told
	Drift              bool   // only those whose router does not do what is wanted
}

func (q SessionQuery) values() url.Values {
	v := url.Values{}
	for name, value := range map[string]string{"account": q.Account, "nas": q.NAS, "area": q.Area, "action": q.Action} {
		if value != "" {
			v.Set(name, value)
		}
	}
	if q.Drift {
		v.Set("drift", "true")
	}
	return v
}

// Sessions asks for a page of at most limit live sessions, from 1 to 1000;
// after is the Next of the page before.
func (c *Client) Sessions(ctx context.Context, q SessionQuery, after string, limit int) (SessionPage, error) {
	var page SessionPage
	v := q.values()
	v.Set("limit", strconv.Itoa(limit))
	if after != "" {
		v.Set("after", after)
	}
	err := c.get(ctx, "/v1/sessions", v, &page)
	return page, err
}

// AllSessions asks for page after page. An error ends the sequence.
func (c *Client) AllSessions(ctx context.Context, q SessionQuery) iter.Seq2[Session, error] {
	return pages(func(after string) ([]Session, string, error) {
		page, err := c.Sessions(ctx, q, after, maxPage)
		return page.Sessions, page.Next, err
	})
}

// Session asks for one live session; a *Problem of status 404 says that there
// is none of that name.
func (c *Client) Session(ctx context.Context, nas, box, session string) (Session, error) {
	var s Session
	v := url.Values{}
	if box != "" {
		v.Set("box", box)
	}
	err := c.get(ctx, "/v1/sessions/"+pathSegment(nas)+"/"+pathSegment(session), v, &s)
	return s, err
}

// WhoHad asks who had an address at a time as in Instant; empty is now.
func (c *Client) WhoHad(ctx context.Context, address, at string) (Who, error) {
	var w Who
	v := url.Values{"address": {address}}
	if at != "" {
		v.Set("at", at)
	}
	err := c.get(ctx, "/v1/history", v, &w)
	return w, err
}
