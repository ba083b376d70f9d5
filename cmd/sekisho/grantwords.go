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

// tell says what was changed and what comes of it, and when. What becomes of
// the live sessions is waited for, unless there is more to be changed.
func (d *desk) tell(verb string, c admin.Changed, more bool) error {
	for _, warning := range c.Warnings {
		fmt.Fprintln(d.App.ErrWriter, "warning:", warning)
	}
	if format := d.String("output"); format != "table" {
		return d.changes.write(format, toldChange{Changed: c, Live: d.live(c, more)})
	}
	var b strings.Builder
	d.heading(&b, verb, c)
	d.particulars(&b, c.Override)
	if c.Effect != nil {
		d.effect(&b, c.Effect, felt(d.people, c, more))
	}
	if _, err := io.WriteString(d.App.Writer, b.String()); err != nil { // whoever waits has something to read
		return err
	}
	_, err := io.WriteString(d.App.Writer, d.lines(d.live(c, more))+ending(verb, c))
	return err
}

// lines are what becomes of live sessions, a line each.
func (d *desk) lines(live []becoming) string {
	var b strings.Builder
	for _, one := range live {
		fmt.Fprintf(&b, "  %s\n", d.line(one))
	}
	return b.String()
}

// ending says how to take a change back.
func ending(verb string, c admin.Changed) string {
	if c.DryRun || verb != "grant" && verb != "restrict" || !slices.Contains(standingStates, c.Override.State) {
		return ""
	}
	return fmt.Sprintf("\nto end it at once: sekisho revoke %s --reason WHY\n", c.Override.ID)
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
func (d *desk) effect(b *strings.Builder, e *admin.Effect, felt string) {
	t := plainTable([]string{"", "action", "rule", "until", "login", "NAS"})
	for _, side := range []struct {
		name     string
		verdicts []admin.Verdict
	}{{"before", e.Before}, {"after", e.After}} {
		for _, v := range side.verdicts {
			t.AppendRow(cells([]string{side.name, v.Action, v.Rule, d.end(v.Until), strings.Join(v.Forms, ", "), names(v.NAS)}))
		}
	}
	fmt.Fprintf(b, "\ndecided %s\n%s\n\n%s\n", d.people.say(e.At), t.Render(), felt)
}

func (d *desk) end(until *time.Time) string {
	if until == nil {
		return ""
	}
	return d.people.sayEnd(*until)
}

// felt says when a change is felt.
func felt(p people, c admin.Changed, more bool) string {
	e := c.Effect
	switch {
	case reflect.DeepEqual(actionsOf(e.Before), actionsOf(e.After)):
		return "Nothing changes at once: the action stays the same."
	case pending(c):
		return "It begins " + p.say(e.At) + ": sessions that are up then are told then."
	case len(e.Sessions) == 0:
		return "No session of the account is up: it counts from the next login."
	case more:
		return "What becomes of the sessions that are up is said at the end."
	case c.DryRun:
		return "These sessions are up. A router that takes CoA-Requests is told at once, another one at the next login:"
	}
	return "These sessions are up:"
}

// pending tells whether an override does not hold yet.
func pending(c admin.Changed) bool { return c.Override.State == standingStates[0] }

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
