package main

import (
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"time"

	"sekisho/cmd/internal/admin"

	"github.com/urfave/cli/v2"
)

// desk is what the verbs about single accounts need: the daemon, its clock and
// its policy's actions.
type desk struct {
	*cli.Context
	client  *admin.Client
	people  people
	actions []string // from the loosest to the tightest
	changes *changeWriter
	first   []admin.SessionRef // live when the command line's first change was made
}

// atDesk makes an action of a function; before it, the daemon is asked what
// time it is and where.
func atDesk(fn func(*desk) error) cli.ActionFunc {
	return asking(func(c *cli.Context, daemon *admin.Client) error {
		status, err := daemon.Status(c.Context)
		if err != nil {
			return err
		}
		zone, err := time.LoadLocation(status.Timezone)
		if err != nil {
			return fmt.Errorf("the daemon's time zone: %w", err)
		}
		p := people{status.Clock, zone}
		return p.refused(fn(&desk{c, daemon, p, status.Actions, &changeWriter{Writer: c.App.Writer}, nil}))
	})
}

// utcTime is a time as the daemon's refusals have it.
var utcTime = regexp.MustCompile(`\b\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z\b`)

// refused says the times of a refusal as everything else is said: the daemon's
// are UTC, and next to days of the policy's time zone they mislead.
func (p people) refused(err error) error {
	problem := new(admin.Problem)
	if !errors.As(err, &problem) {
		return err
	}
	said := *problem
	said.Detail, said.Errors = p.local(said.Detail), slices.Clone(said.Errors)
	for i, fault := range said.Errors {
		said.Errors[i].Message = p.local(fault.Message)
	}
	return &said
}

func (p people) local(text string) string {
	return utcTime.ReplaceAllStringFunc(text, func(stamp string) string {
		at, err := time.Parse(time.RFC3339, stamp)
		if err != nil {
			return stamp
		}
		return p.say(at)
	})
}

// at reads a flag as a time, and says in full what a short word stands for
// before it is acted upon. Zero where the flag is not given.
func (d *desk) at(flag string, read func(string) (time.Time, error), say func(time.Time) string) (time.Time, error) {
	text := d.String(flag)
	if text == "" {
		return time.Time{}, nil
	}
	at, err := read(text)
	if err != nil {
		return at, usagef("--%s: %w", flag, err)
	}
	fmt.Fprintf(d.App.ErrWriter, "%s %s is %s\n", flag, text, say(at))
	return at, nil
}

// span reads --from and --until.
func (d *desk) span(until func(string) (time.Time, error)) (from, to time.Time, err error) {
	if from, err = d.at("from", d.people.from, d.people.say); err != nil {
		return from, to, err
	}
	to, err = d.at("until", until, d.people.sayEnd)
	if err == nil && !to.IsZero() && !to.After(from) {
		err = usagef("--until: %s is not after --from, %s", d.people.sayEnd(to), d.people.say(from))
	}
	return from, to, err
}

// sent is a time as the daemon takes it; empty for none.
func sent(at time.Time) string {
	if at.IsZero() {
		return ""
	}
	return at.Format(time.RFC3339)
}

// account reads a login as the policy does; what it does not read is taken for
// an account.
func (d *desk) account(user string) string {
	e, err := d.client.Explain(d.Context.Context, admin.Question{User: user})
	if err != nil || e.Account == "" {
		return user
	}
	return e.Account
}

// standing are the overrides that an argument means: the one of this id, or all
// that stand on this account.
func (d *desk) standing(idOrUser string) ([]admin.Override, error) {
	if isID(idOrUser) {
		o, err := d.client.Override(d.Context.Context, idOrUser)
		if problem := new(admin.Problem); !errors.As(err, &problem) || problem.Status != http.StatusNotFound {
			return []admin.Override{o}, err
		}
	}
	account := d.account(idOrUser)
	var found []admin.Override
	for o, err := range d.client.AllOverrides(d.Context.Context, admin.OverrideQuery{Account: account, States: standingStates}) {
		if err != nil {
			return nil, err
		}
		found = append(found, o)
	}
	if len(found) == 0 {
		return nil, notFound(fmt.Sprintf("no override stands on the account %q; sekisho overrides list --all %s shows those that are over", account, account))
	}
	return found, nil
}

// standingOne is the one override that an argument means.
func (d *desk) standingOne(idOrUser string) (admin.Override, error) {
	found, err := d.standing(idOrUser)
	if err != nil {
		return admin.Override{}, err
	}
	if len(found) > 1 {
		return admin.Override{}, d.several(found, "name one by its id")
	}
	return found[0], nil
}

// several says which overrides stand where one was expected.
func (d *desk) several(found []admin.Override, remedy string) error {
	var b strings.Builder
	for _, o := range found {
		fmt.Fprintf(&b, "\n  %s  %s %s, %s: %s", o.ID, o.Kind, o.Action, d.holds(o), printable(o.Reason))
	}
	return refused(fmt.Sprintf("%d overrides stand on the account %q; %s:%s", len(found), found[0].Account, remedy, b.String()))
}

// isID tells whether a text is spelt like the id of an override.
func isID(text string) bool {
	return len(text) == 26 && strings.Trim(strings.ToUpper(text), "0123456789ABCDEFGHJKMNPQRSTVWXYZ") == ""
}
