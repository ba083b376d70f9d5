package admin

import (
	"context"
	"errors"
	"iter"
	"net/http"
	"net/url"
	"strconv"

	"sekisho/engine"
	"sekisho/store"
)

// SyncStatus asks how the directory is followed, with up to unmapped entries of
// which no contract can be made.
func (c *Client) SyncStatus(ctx context.Context, unmapped int) (SyncStatus, error) {
	var s SyncStatus
	err := c.get(ctx, "/v1/sync", url.Values{"unmapped": {strconv.Itoa(unmapped)}}, &s)
	return s, err
}

// SyncRun brings the contracts up to date now, and tells progress how many
// entries were read. A *Problem of status 409 says that a guard refused.
func (c *Client) SyncRun(ctx context.Context, q SyncQuestion, progress func(int)) (*SyncReport, error) {
	for line, err := range answerLines[SyncLine](ctx, c, "/v1/sync/run", q) {
		switch {
		case err != nil:
			return nil, err
		case line.Problem != nil:
			return nil, line.Problem
		case line.Report != nil:
			return line.Report, nil
		}
		progress(line.Read)
	}
	return nil, errors.New("the answer broke off before the report")
}

// HeldSync asks for a page of what is held; Held is nil where that is nothing.
func (c *Client) HeldSync(ctx context.Context, after string, limit int) (HeldPage, error) {
	var page HeldPage
	err := c.get(ctx, "/v1/sync/held", url.Values{"after": {after}, "limit": {strconv.Itoa(limit)}}, &page)
	return page, err
}

// AllHeldSync asks for page after page of what is held under one id. That it is
// replaced by something else ends the sequence with an error.
func (c *Client) AllHeldSync(ctx context.Context, id string) iter.Seq2[store.ContractChange, error] {
	return pages(func(after string) ([]store.ContractChange, string, error) {
		page, err := c.HeldSync(ctx, engine.Fold(after), maxPage)
		if err == nil && (page.Held == nil || page.Held.ID != id) {
			err = &Problem{Status: http.StatusPreconditionFailed, Detail: id + " is not held any more"}
		}
		return page.Changes, page.Next, err
	})
}

// ApproveSync makes the changes that are held under an id.
func (c *Client) ApproveSync(ctx context.Context, id string, a Approval) (store.DirectoryReport, error) {
	var report store.DirectoryReport
	err := c.sendJSON(ctx, http.MethodPost, "/v1/sync/held/"+pathSegment(id)+"/approve", nil, nil, a, &report)
	return report, err
}

// DropSync forgets the changes that are held under an id.
func (c *Client) DropSync(ctx context.Context, id, reason string) error {
	var dropped Dropped
	return c.sendJSON(ctx, http.MethodPost, "/v1/sync/held/"+pathSegment(id)+"/drop", nil, nil, Reason{reason}, &dropped)
}
