package admin

import (
	"context"
	"io"
	"iter"
	"net/http"
	"net/url"
	"strconv"
)

// AddOverride grants or restricts. A key that was used before for the same
// gives the override that was made then; empty is none. A dry run changes
// nothing and tells what would come of it.
func (c *Client) AddOverride(ctx context.Context, o NewOverride, key string, dryRun bool) (Changed, error) {
	var made Changed
	header := http.Header{}
	if key != "" {
		header.Set("Idempotency-Key", key)
	}
	err := c.sendJSON(ctx, http.MethodPost, "/v1/overrides", dry(dryRun), header, o, &made)
	return made, err
}

// Overrides asks for a page of at most limit overrides, from 1 to 1000; after
// is the Next of the page before.
func (c *Client) Overrides(ctx context.Context, q OverrideQuery, after string, limit int) (OverridePage, error) {
	var page OverridePage
	v := q.values()
	v.Set("limit", strconv.Itoa(limit))
	if after != "" {
		v.Set("after", after)
	}
	err := c.get(ctx, "/v1/overrides", v, &page)
	return page, err
}

// AllOverrides asks for page after page. An error ends the sequence.
func (c *Client) AllOverrides(ctx context.Context, q OverrideQuery) iter.Seq2[Override, error] {
	return pages(func(after string) ([]Override, string, error) {
		page, err := c.Overrides(ctx, q, after, maxPage)
		return page.Overrides, page.Next, err
	})
}

// Override asks for one by its id.
func (c *Client) Override(ctx context.Context, id string) (Override, error) {
	var o Override
	err := c.get(ctx, "/v1/overrides/"+pathSegment(id), nil, &o)
	return o, err
}

// RenewOverride moves the end of an override that is at a version; 0 is
// whichever stands. A *Problem of status 412 says that it was changed
// meanwhile.
func (c *Client) RenewOverride(ctx context.Context, id string, version int, r Renewal, dryRun bool) (Changed, error) {
	var changed Changed
	err := c.sendJSON(ctx, http.MethodPatch, "/v1/overrides/"+pathSegment(id), dry(dryRun), ifMatch(version), r, &changed)
	return changed, err
}

// RevokeOverride ends an override at once; version is as for RenewOverride.
func (c *Client) RevokeOverride(ctx context.Context, id string, version int, reason string, dryRun bool) (Changed, error) {
	var changed Changed
	err := c.sendJSON(ctx, http.MethodPost, "/v1/overrides/"+pathSegment(id)+"/revoke", dry(dryRun), ifMatch(version), Reason{reason}, &changed)
	return changed, err
}

// OverrideImport says what ImportOverrides does with its rows.
type OverrideImport struct {
	DryRun bool   // report only
	Force  bool   // also for accounts without a contract
	Reason string // of the import as a whole, for the audit; may be empty
}

// OverrideReport counts what an import of overrides did, or would do.
type OverrideReport struct {
	Added   int `json:"added"`
	Existed int `json:"existed" doc:"made before, by the same key"`
}

// ImportOverrides sends overrides as CSV, all or nothing; name stands for the
// file in errors.
func (c *Client) ImportOverrides(ctx context.Context, name string, csv io.Reader, opts OverrideImport) (OverrideReport, error) {
	var report OverrideReport
	query := url.Values{"name": {name}, "dry-run": {strconv.FormatBool(opts.DryRun)}, "force": {strconv.FormatBool(opts.Force)}}
	if opts.Reason != "" {
		query.Set("reason", opts.Reason)
	}
	err := c.send(ctx, "/v1/overrides/import", query, "text/csv", csv, &report)
	return report, err
}

// ExportOverrides writes the overrides that are meant as CSV.
func (c *Client) ExportOverrides(ctx context.Context, q OverrideQuery, w io.Writer) error {
	return c.download(ctx, http.MethodGet, "/v1/overrides/export", q.values(), w)
}

func (q OverrideQuery) values() url.Values {
	v := url.Values{}
	for name, value := range map[string]string{
		"account": q.Account, "prefix": q.Prefix, "kind": q.Kind, "action": q.Action, "author": q.Author, "ticket": q.Ticket,
		"ends-before": q.EndsBefore,
	} {
		if value != "" {
			v.Set(name, value)
		}
	}
	for _, state := range q.States {
		v.Add("state", state)
	}
	return v
}

func dry(run bool) url.Values {
	if !run {
		return nil
	}
	return url.Values{"dry-run": {"true"}}
}

// ifMatch is the condition that something is at a version; 0 is any.
func ifMatch(version int) http.Header {
	tag := "*"
	if version != 0 {
		tag = etag(version)
	}
	return http.Header{"If-Match": {tag}}
}

func etag(version int) string { return strconv.Quote(strconv.Itoa(version)) }

// pages walks page after page; an empty next ends the walk.
func pages[T any](page func(after string) (found []T, next string, err error)) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		for after := ""; ; {
			found, next, err := page(after)
			if err != nil {
				var none T
				yield(none, err)
				return
			}
			for _, v := range found {
				if !yield(v, nil) {
					return
				}
			}
			if after = next; after == "" {
				return
			}
		}
	}
}
