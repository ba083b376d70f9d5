package admin

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"sekisho/store"
)

// OverrideReader finds overrides; see store.Store.
type OverrideReader interface {
	Override(id string) (store.Override, error)
	Overrides(store.OverrideFilter) (page []store.Override, next string, err error)
}

// OverrideWriter changes overrides; see store.Store and store.Rehearsal.
type OverrideWriter interface {
	AddOverride(store.By, store.Override) (o store.Override, existed bool, err error)
	RenewOverride(by store.By, id string, version int, until time.Time, reason string) (store.Override, error)
	RevokeOverride(by store.By, id string, version int, reason string) (store.Override, error)
}

// OverrideStore holds the overrides.
type OverrideStore interface {
	OverrideReader
	OverrideWriter
	OverrideFiles
}

// Advisor knows the policy, the routers and the accounts. An error of type
// *Problem is passed on as it is.
type Advisor interface {
	// Now is what time it is for the policy, in its timezone.
	Now() time.Time
	// Settle reads what a caller says of a new override.
	Settle(NewOverride) (store.Override, error)
	// SettleRow completes a row of a file, or says why it is refused.
	SettleRow(o *store.Override, force bool) error
	// Void tells why an override does nothing although it stands; "" otherwise.
	Void(*store.Override) string
	// Preview tells what changes for the account when before gives way to
	// after, either of which may be nil, and what to warn of.
	Preview(before, after *store.Override) (*Effect, []string, error)
}

// overrides are the operations on overrides.
type overrides struct {
	store     OverrideStore
	rehearsal OverrideWriter
	advisor   Advisor
}

// MountOverrides serves what is set on accounts by hand.
func MountOverrides(r *Routes, s OverrideStore, rehearsal OverrideWriter, a Advisor) {
	o := overrides{s, rehearsal, a}
	handle(r, Support, huma.Operation{
		OperationID: "add-override", Method: http.MethodPost, Path: "/v1/overrides", Tags: tagOverrides, DefaultStatus: http.StatusCreated,
		Summary: "Grant or restrict",
		Description: "The author is who asks. A second question with the same Idempotency-Key and the same content is answered with the " +
			"override that the first one made, and status 200. An account without a contract is refused with status 404 and the likely " +
			"meant one, unless force says otherwise.",
	}, o.add)
	ask(r, Viewer, huma.Operation{
		OperationID: "list-overrides", Method: http.MethodGet, Path: "/v1/overrides", Tags: tagOverrides,
		Summary: "Overrides in the order of their accounts, a page at a time",
	}, o.list)
	handle(r, Viewer, huma.Operation{
		OperationID: "show-override", Method: http.MethodGet, Path: "/v1/overrides/{id}", Tags: tagOverrides,
		Summary: "One override with its history; its version is the ETag",
	}, o.show)
	handle(r, Support, huma.Operation{
		OperationID: "renew-override", Method: http.MethodPatch, Path: "/v1/overrides/{id}", Tags: tagOverrides,
		Summary:     "Move the end of an override",
		Description: ifMatchDescription,
	}, o.renew)
	handle(r, Support, huma.Operation{
		OperationID: "revoke-override", Method: http.MethodPost, Path: "/v1/overrides/{id}/revoke", Tags: tagOverrides,
		Summary:     "End an override at once",
		Description: ifMatchDescription,
	}, o.revoke)
	o.mountFiles(r, s)
}

const ifMatchDescription = "If-Match is required: the ETag of what the caller has seen, or * for whatever stands. Without it the answer is " +
	"status 428, and 412 when the override was changed meanwhile."

// changedAnswer is the answer to a change.
type changedAnswer struct {
	Status int
	ETag   string `header:"ETag"`
	Body   Changed
}

type addInput struct {
	Key    string `header:"Idempotency-Key" maxLength:"200" doc:"makes it safe to ask again"`
	DryRun bool   `query:"dry-run" doc:"change nothing; tell what would come of it"`
	Body   NewOverride
}

func (o overrides) add(ctx context.Context, in *addInput) (*changedAnswer, error) {
	wanted, err := o.advisor.Settle(in.Body)
	if err != nil {
		return nil, err
	}
	wanted.Key = in.Key
	made, existed, err := o.writer(in.DryRun).AddOverride(CallerFrom(ctx).by(), wanted)
	if err != nil {
		return nil, err
	}
	answer := o.answer(&made, in.DryRun)
	if answer.Body.Existed = existed; existed {
		answer.Body.Warnings = answer.Body.Override.over()
		return answer, nil
	}
	if in.DryRun {
		answer.Body.Override.ID = ""
	} else {
		answer.Status = http.StatusCreated
	}
	o.preview(&answer.Body, nil, &made)
	return answer, nil
}

// over warns of an override that was found by its key and does nothing any more.
func (o Override) over() []string {
	if o.State != string(store.Revoked) && o.State != string(store.Ended) {
		return nil
	}
	return []string{"what this key made is " + o.State + " and does nothing any more; another key makes a new one"}
}

func (o overrides) writer(dryRun bool) OverrideWriter {
	if dryRun {
		return o.rehearsal
	}
	return o.store
}

func (o overrides) answer(made *store.Override, dryRun bool) *changedAnswer {
	a := &changedAnswer{Status: http.StatusOK, Body: Changed{Override: o.wire(made, o.advisor.Now()), DryRun: dryRun}}
	if !dryRun {
		a.ETag = etag(made.Version)
	}
	return a
}

// preview tells what comes of a change. The change may have been made: what
// goes wrong here is no reason to say that it failed.
func (o overrides) preview(c *Changed, before, after *store.Override) {
	effect, warnings, err := o.advisor.Preview(before, after)
	if err != nil {
		warnings = append(warnings, "what comes of it is not known: "+err.Error())
	}
	c.Effect, c.Warnings = effect, warnings
}

// IDPath names an override in a path.
type IDPath struct {
	ID string `path:"id" example:"01JD8Q6V3MZ0Y7K2T4R9W5XCNE"`
}

type overrideAnswer struct {
	ETag string `header:"ETag"`
	Body Override
}

func (o overrides) show(_ context.Context, in *IDPath) (*overrideAnswer, error) {
	found, err := o.store.Override(in.ID)
	if err != nil {
		return nil, err
	}
	return &overrideAnswer{etag(found.Version), o.wire(&found, o.advisor.Now())}, nil
}

type renewInput struct {
	IDPath
	Condition
	DryRun bool `query:"dry-run" doc:"change nothing; tell what would come of it"`
	Body   Renewal
}

func (o overrides) renew(ctx context.Context, in *renewInput) (*changedAnswer, error) {
	version, err := in.version()
	if err != nil {
		return nil, err
	}
	var until time.Time
	if in.Body.Until != "" {
		if until, err = Instant(in.Body.Until, o.advisor.Now().Location()); err != nil {
			return nil, err
		}
	}
	return o.change(in.ID, in.DryRun, func(w OverrideWriter) (store.Override, error) {
		return w.RenewOverride(CallerFrom(ctx).by(), in.ID, version, until, in.Body.Reason)
	})
}

type revokeInput struct {
	IDPath
	Condition
	DryRun bool `query:"dry-run" doc:"change nothing; tell what would come of it"`
	Body   Reason
}

func (o overrides) revoke(ctx context.Context, in *revokeInput) (*changedAnswer, error) {
	version, err := in.version()
	if err != nil {
		return nil, err
	}
	return o.change(in.ID, in.DryRun, func(w OverrideWriter) (store.Override, error) {
		return w.RevokeOverride(CallerFrom(ctx).by(), in.ID, version, in.Body.Reason)
	})
}

// change changes an override that there is, or rehearses that, and tells what
// comes of it.
func (o overrides) change(id string, dryRun bool, change func(OverrideWriter) (store.Override, error)) (*changedAnswer, error) {
	before, err := o.store.Override(id)
	if err != nil {
		return nil, err
	}
	after, err := change(o.writer(dryRun))
	if err != nil {
		return nil, err
	}
	answer := o.answer(&after, dryRun)
	o.preview(&answer.Body, &before, standing(&after))
	return answer, nil
}

// standing is nil for an override that was revoked.
func standing(o *store.Override) *store.Override {
	if o.Revoked != nil {
		return nil
	}
	return o
}
