package main

import (
	"fmt"
	"io"
	"reflect"
	"slices"
	"strings"
	"time"

	"sekisho/cmd/internal/admin"
)

// done and would are what a change of an override is called.
var (
	done  = map[string]string{"grant": "granted", "restrict": "restricted to", "renew": "renewed", "revoke": "revoked"}
	would = map[string]string{"grant": "would grant", "restrict": "would restrict to", "renew": "would renew", "revoke": "would revoke"}
)

// tell says what was changed and what comes of it, and when.
func (d *desk) tell(verb string, c admin.Changed) error {
	for _, warning := range c.Warnings {
		fmt.Fprintln(d.App.ErrWriter, "warning:", warning)
	}
	if d.String("output") == "json" {
		return writeJSON(d.App.Writer, c)
	}
	var b strings.Builder
	d.heading(&b, verb, c)
	d.particulars(&b, c.Override)
	if c.Effect != nil {
		d.effect(&b, c.Effect)
	}
	if (verb == "grant" || verb == "restrict") && slices.Contains(standingStates, c.Override.State) {
		fmt.Fprintf(&b, "\nto end it at once: sekisho revoke %s --reason WHY\n", c.Override.ID)
	}
	text := b.String()
	if c.DryRun {
		text, _, _ = strings.Cut(text, "\nto end it")
	}
	_, err := io.WriteString(d.App.Writer, text)
	return err
}

func (d *desk) heading(b *strings.Builder, verb string, c admin.Changed) {
	words := done[verb]
	switch {
	case c.DryRun:
		words = "dry run, nothing was changed: " + would[verb]
	case c.Existed:
		words = "made before with the same key: " + words
	}
	fmt.Fprintf(b, "%s %s for %s\n", words, c.Override.Action, printable(c.Override.Account))
}

// particulars are what an override says, one thing a line.
func (d *desk) particulars(b *strings.Builder, o admin.Override) {
	row := func(label, value string) {
		if value != "" {
			fmt.Fprintf(b, "  %-8s %s\n", label, value)
		}
	}
	row("id", o.ID)
	row("holds", d.holds(o))
	row("area", printable(o.Area))
	row("NAS", printable(o.NAS))
	row("reason", printable(o.Reason))
	row("ticket", printable(o.Ticket))
	row("author", printable(o.Author))
	row("key", printable(o.Key))
	if o.Revoked != nil {
		row("revoked", fmt.Sprintf("%s by %s: %s", d.people.say(o.Revoked.At), printable(o.Revoked.By), printable(o.Revoked.Reason)))
	}
	for _, h := range o.History {
		end := "for ever"
		if h.Until != nil {
			end = "until " + d.people.sayEnd(*h.Until)
		}
		row("before", fmt.Sprintf("%s; renewed %s by %s: %s", end, d.people.say(h.At), printable(h.Author), printable(h.Reason)))
	}
}

// holds says from when until when an override holds.
func (d *desk) holds(o admin.Override) string {
	from, until := "now", "until revoked"
	switch {
	case o.From != nil:
		from = d.people.say(*o.From)
	case !d.people.now.After(o.Created):
	default:
		from = d.people.say(o.Created)
	}
	if o.Until != nil {
		until = "until " + d.people.sayEnd(*o.Until)
	}
	return "from " + from + " " + until
}

// effect shows the decision before and after, and says when that is felt.
func (d *desk) effect(b *strings.Builder, e *admin.Effect) {
	t := plainTable([]string{"", "action", "rule", "until", "login", "NAS"})
	for _, side := range []struct {
		name     string
		verdicts []admin.Verdict
	}{{"before", e.Before}, {"after", e.After}} {
		for _, v := range side.verdicts {
			t.AppendRow(cells([]string{side.name, v.Action, v.Rule, d.end(v.Until), strings.Join(v.Forms, ", "), names(v.NAS)}))
		}
	}
	fmt.Fprintf(b, "\ndecided %s\n%s\n\n%s\n", d.people.say(e.At), t.Render(), d.felt(e))
	for _, s := range e.Sessions {
		fmt.Fprintf(b, "  %s at NAS %s, session %s: %s\n", printable(s.User), printable(s.NAS), printable(s.Session), lastTold(s, e.After))
	}
}

func (d *desk) end(until *time.Time) string {
	if until == nil {
		return ""
	}
	return d.people.sayEnd(*until)
}

// felt says when the change is felt.
func (d *desk) felt(e *admin.Effect) string {
	switch {
	case reflect.DeepEqual(actionsOf(e.Before), actionsOf(e.After)):
		return "Nothing changes at once: the action stays the same."
	case e.At.After(d.people.now.Add(time.Minute)):
		return "It begins " + d.people.say(e.At) + "."
	case len(e.Sessions) == 0:
		return "No session of the account is live: it is felt at the next login."
	}
	return "These sessions are live. A router that takes CoA-Requests is told at once, another one at the next login:"
}

func actionsOf(verdicts []admin.Verdict) map[string]string {
	actions := map[string]string{}
	for _, v := range verdicts {
		for _, nas := range v.NAS {
			for _, form := range append([]string{""}, v.Forms...) {
				actions[nas+"\n"+form] += v.Action
			}
		}
	}
	return actions
}

// lastTold says what a router was told last; wanted are the actions that it
// may be told now.
func lastTold(s admin.SessionRef, after []admin.Verdict) string {
	var wanted []string
	for _, v := range after {
		if slices.Contains(v.NAS, s.NAS) && !slices.Contains(wanted, v.Action) {
			wanted = append(wanted, v.Action)
		}
	}
	switch {
	case s.Applied == "":
		return "it is not known what the router was told"
	case slices.Contains(wanted, s.Applied):
		return "the router was told " + s.Applied
	}
	return fmt.Sprintf("the router was told %s, and is to be told %s", s.Applied, alternatives(wanted))
}
