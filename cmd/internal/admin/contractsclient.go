package admin

import (
	"context"
	"io"
	"iter"
	"net/http"
	"net/url"
	"strconv"

	"sekisho/engine"
	"sekisho/store"
)

// ImportOptions say what ImportContracts does with its rows.
type ImportOptions struct {
	DryRun  bool         // report only
	Replace bool         // delete the contracts that are not among the rows
	Diff    int          // how many changes the report shows
	Guards  store.Guards // refuse an import that does more
	Reason  string       // for the audit; may be empty
}

// Contract asks for the contract of an account; a *Problem of status 404 says
// that there is none.
func (c *Client) Contract(ctx context.Context, account string) (engine.Contract, error) {
	var found Contract
	if account == "" { // its path would be that of the list
		return engine.Contract{}, &Problem{Status: http.StatusNotFound, Detail: "no account was named"}
	}
	err := c.get(ctx, "/v1/contracts/"+pathSegment(account), nil, &found)
	return engine.Contract(found), err
}

// Contracts asks for a page of at most limit contracts, from 1 to 1000, whose
// accounts begin with prefix and come after the account after.
func (c *Client) Contracts(ctx context.Context, prefix, after string, limit int) (ContractPage, error) {
	var page ContractPage
	query := url.Values{"prefix": {prefix}, "after": {after}, "limit": {strconv.Itoa(limit)}}
	err := c.get(ctx, "/v1/contracts", query, &page)
	return page, err
}

// AllContracts asks for page after page of the contracts whose accounts begin
// with prefix. An error ends the sequence.
func (c *Client) AllContracts(ctx context.Context, prefix string) iter.Seq2[engine.Contract, error] {
	return func(yield func(engine.Contract, error) bool) {
		for contract, err := range pages(func(after string) ([]Contract, string, error) {
			page, err := c.Contracts(ctx, prefix, after, maxPage)
			return page.Contracts, page.Next, err
		}) {
			if !yield(engine.Contract(contract), err) {
				return
			}
		}
	}
}

// ImportContracts sends contracts as CSV; name stands for the file in errors.
// A *Problem of status 422 lists what is wrong with the file, one of status
// 409 says that a guard refused; nothing has changed then. When ctx ends
// before the answer, nothing has changed either, or everything.
func (c *Client) ImportContracts(ctx context.Context, name string, csv io.Reader, opts ImportOptions) (store.Report, error) {
	var report store.Report
	query := url.Values{
		"name":    {name},
		"dry-run": {strconv.FormatBool(opts.DryRun)},
		"replace": {strconv.FormatBool(opts.Replace)},
	}
	for name, n := range map[string]int{
		"diff": opts.Diff, "max-deletes": opts.Guards.MaxDeletes, "max-delete-percent": opts.Guards.MaxDeletePercent,
		"max-changes": opts.Guards.MaxChanges, "min-contracts": opts.Guards.MinContracts,
	} {
		if n != 0 {
			query.Set(name, strconv.Itoa(n))
		}
	}
	if opts.Reason != "" {
		query.Set("reason", opts.Reason)
	}
	err := c.send(ctx, "/v1/contracts/import", query, "text/csv", csv, &report)
	return report, err
}
