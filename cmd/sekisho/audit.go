package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"sekisho/cmd/internal/admin"

	"github.com/mattn/go-runewidth"
	"github.com/urfave/cli/v2"
)

// lastEntries is how many entries of the audit are listed where no other
// number is said.
const lastEntries = 50

func auditCommand() *cli.Command {
	return &cli.Command{
		Name:  "audit",
		Usage: "list, verify and export who changed what, when and why",
		Subcommands: []*cli.Command{
			{
				Name:        "list",
				Usage:       "list the last changes, the newest last",
				Description: "json and ndjson have the whole of what was before and after, and the hashes.",
				Flags:       auditFlags(counted(anyNumber, &cli.IntFlag{Name: "limit", Aliases: []string{"n"}, Usage: "the last `N`; 0: all", Value: lastEntries}), listFlag()),
				Action:      atDesk(listAudit),
			},
			verifyAuditCommand(),
			{
				Name:   "export",
				Usage:  "write the trail, one JSON object a line, as audit verify FILE reads it",
				Flags:  auditFlags(),
				Action: atDesk(exportAudit),
			},
		},
	}
}

func auditFlags(more ...cli.Flag) []cli.Flag {
	return append([]cli.Flag{
		&cli.StringFlag{Name: "from", Usage: "from `WHEN` on: a day from its beginning"},
		&cli.StringFlag{Name: "until", Usage: "until `WHEN`: a day and all of it"},
		&cli.StringFlag{Name: "who", Usage: "by `WHO`, or whose names begin so"},
		&cli.StringFlag{Name: "op", Usage: "of this `OPERATION`, such as override.grant, or all of override"},
		&cli.StringFlag{Name: "subject", Usage: "concerning this `SUBJECT`, such as an account, or those that begin so"},
	}, more...)
}

func (d *desk) auditQuery() (q admin.AuditQuery, err error) {
	q = admin.AuditQuery{Who: d.String("who"), Op: d.String("op"), Subject: d.String("subject")}
	from, until, err := d.span(d.people.until)
	q.From, q.Until = sent(from), sent(until)
	return q, err
}

func listAudit(d *desk) error {
	q, err := d.auditQuery()
	if err != nil {
		return err
	}
	entries := d.client.AllAudit(d.Context.Context, q)
	if n := d.Int("limit"); n > 0 {
		q.Newest = true
		entries = backwards(matching(d.client.AllAudit(d.Context.Context, q), func(admin.AuditEntry) bool { return true }, n))
	}
	return d.auditListing().write(d.Context, entries)
}

// backwards turns a short list around.
func backwards[T any](things sequence[T]) sequence[T] {
	return func(yield func(T, error) bool) {
		var all []T
		for thing, err := range things {
			if err != nil {
				yield(thing, err)
				return
			}
			all = append(all, thing)
		}
		for _, thing := range slices.Backward(all) {
			if !yield(thing, nil) {
				return
			}
		}
	}
}

func (d *desk) auditListing() listing[admin.AuditEntry] {
	return listing[admin.AuditEntry]{
		columns: []string{"seq", "at", "who", "from", "op", "subject", "why", "change"},
		cells: func(e admin.AuditEntry) []string {
			change := runewidth.Truncate(d.changeOf(e), changeWidth, "…")
			return []string{fmt.Sprint(e.Seq), e.At.In(d.people.zone).Format(time.DateTime), e.Who, e.From, e.Op, e.Subject, e.Why, change}
		},
		record: func(e admin.AuditEntry) []string {
			return []string{fmt.Sprint(e.Seq), e.At.In(d.people.zone).Format(time.RFC3339), e.Who, e.From, e.Op, e.Subject, e.Why, d.changeOf(e)}
		},
	}
}

// changeWidth is that of the column for people.
const changeWidth = 60

// toldElsewhere are fields that other columns have, or that say nothing to people.
var toldElsewhere = map[string]bool{"id": true, "author": true, "created": true, "version": true, "account": true, "reason": true, "sha256": true}

// changeOf is what differs between before and after, for people and in short.
func (d *desk) changeOf(e admin.AuditEntry) string {
	before, after := fieldsOf(e.Before), fieldsOf(e.After)
	keys := map[string]bool{}
	for key := range before {
		keys[key] = true
	}
	for key := range after {
		keys[key] = true
	}
	var parts []string
	for _, key := range slices.Sorted(maps.Keys(keys)) {
		was, is := before[key], after[key]
		switch {
		case bytes.Equal(was, is), toldElsewhere[key]:
		case was == nil && nothing[string(is)]:
		case was == nil:
			parts = append(parts, key+" "+d.valueOf(key, is))
		case after == nil:
			parts = append(parts, key+" "+d.valueOf(key, was))
		default:
			parts = append(parts, fmt.Sprintf("%s %s → %s", key, d.valueOf(key, was), d.valueOf(key, is)))
		}
	}
	return strings.Join(parts, ", ")
}

// fieldsOf are the fields of a JSON object, nil where it is none.
func fieldsOf(object json.RawMessage) (fields map[string]json.RawMessage) {
	_ = json.Unmarshal(object, &fields)
	return fields
}

// nothing are values that nobody needs to read where something is new.
var nothing = map[string]bool{"null": true, "0": true, `""`: true, "[]": true, "false": true}

func (d *desk) valueOf(key string, value json.RawMessage) string {
	var text string
	switch {
	case value == nil, string(value) == "null":
		return "(none)"
	case json.Unmarshal(value, &text) != nil:
		text = string(value)
	}
	if at, err := time.Parse(time.RFC3339, text); err == nil {
		if key == "from" {
			return d.short(&at)
		}
		return d.shortEnd(&at)
	}
	return printable(text)
}

func exportAudit(d *desk) error {
	q, err := d.auditQuery()
	if err != nil {
		return err
	}
	return d.client.ExportAudit(d.Context.Context, q, d.App.Writer)
}
