package admin

import (
	"context"
	"encoding/json"
	"io"
	"iter"
	"net/http"
	"net/url"
	"strconv"
	"time"
)

// AuditEntry is one change, by anyone, as it travels.
type AuditEntry struct {
	Seq     uint64          `json:"seq" doc:"from 1, without gaps"`
	At      time.Time       `json:"at"`
	Who     string          `json:"who"`
	From    string          `json:"from"`
	Why     string          `json:"why"`
	Op      string          `json:"op" example:"override.grant"`
	Subject string          `json:"subject"`
	Before  json.RawMessage `json:"before" doc:"null where there was nothing"`
	After   json.RawMessage `json:"after" doc:"null where there is nothing"`
	Prev    string          `json:"prev" doc:"the hash of the entry before"`
	Hash    string          `json:"hash"`
}

// AuditPage is some entries. Next, unless 0, is the after of the next page.
type AuditPage struct {
	Entries []AuditEntry `json:"entries"`
	Next    uint64       `json:"next,omitempty"`
}

// AuditQuery says which entries are meant; what is empty means any.
type AuditQuery struct {
	From, Until string // see Instant
	Who         string // or its beginning
	Op          string // or what is before a dot of it: "override"
	Subject     string // or its beginning
	Newest      bool   // the last ones first
}

// AuditFault is a place at which the trail is not as it was written.
type AuditFault struct {
	Seq  uint64 `json:"seq"`
	What string `json:"what" enum:"edited,missing,reordered,truncated,damaged"`
	Text string `json:"text"`
}

// AuditReport is what a verification has found.
type AuditReport struct {
	OK      bool         `json:"ok"`
	Entries uint64       `json:"entries"`
	First   uint64       `json:"first"`
	Last    uint64       `json:"last"`
	Head    string       `json:"head" doc:"the hash of the last entry: note it elsewhere, and nobody can write the trail anew"`
	Faults  []AuditFault `json:"faults"`
	More    bool         `json:"more,omitempty" doc:"there were more faults than are told"`
}

// Audit asks for a page of at most limit entries, from 1 to 1000; after is the
// Next of the page before.
func (c *Client) Audit(ctx context.Context, q AuditQuery, after uint64, limit int) (AuditPage, error) {
	var page AuditPage
	v := q.values()
	v.Set("limit", strconv.Itoa(limit))
	if after != 0 {
		v.Set("after", strconv.FormatUint(after, 10))
	}
	err := c.get(ctx, "/v1/audit", v, &page)
	return page, err
}

// AllAudit asks for page after page. An error ends the sequence.
func (c *Client) AllAudit(ctx context.Context, q AuditQuery) iter.Seq2[AuditEntry, error] {
	return pages(func(after string) ([]AuditEntry, string, error) {
		n, _ := strconv.ParseUint(after, 10, 64) // empty at first
		page, err := c.Audit(ctx, q, n, maxPage)
		next := ""
		if page.Next != 0 {
			next = strconv.FormatUint(page.Next, 10)
		}
		return page.Entries, next, err
	})
}

// ExportAudit writes the entries that are meant, one JSON object a line.
func (c *Client) ExportAudit(ctx context.Context, q AuditQuery, w io.Writer) error {
	return c.download(ctx, http.MethodGet, "/v1/audit/export", q.values(), w)
}

// VerifyAudit asks whether the trail is as it was written.
func (c *Client) VerifyAudit(ctx context.Context) (AuditReport, error) {
	var report AuditReport
	err := c.get(ctx, "/v1/audit/verify", nil, &report)
	return report, err
}

func (q AuditQuery) values() url.Values {
	v := url.Values{}
	for name, value := range map[string]string{"from": q.From, "until": q.Until, "who": q.Who, "op": q.Op, "subject": q.Subject} {
		if value != "" {
			v.Set(name, value)
		}
	}
	if q.Newest {
		v.Set("newest", "true")
	}
	return v
}
