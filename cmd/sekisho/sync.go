package main

import (
	"fmt"
	"io"
	"strings"
	"time"

	"sekisho/cmd/internal/admin"
	"sekisho/store"

	"github.com/urfave/cli/v2"
	"github.com/vbauerster/mpb/v8"
	"github.com/vbauerster/mpb/v8/decor"
)

func syncCommand() *cli.Command {
	return &cli.Command{
		Name:  "sync",
		Usage: "follow the directory that contracts come from",
		Subcommands: []*cli.Command{
			{
				Name:  "run",
				Usage: "bring the contracts up to date now; over a limit nothing is changed, and the exit code is 5",
				Flags: []cli.Flag{
					&cli.BoolFlag{Name: "full", Usage: "compare everything, instead of what has changed"},
					&cli.BoolFlag{Name: "dry-run", Usage: "only report what would change, of everything; the limits are held against it, too"},
					counted(mostShown, &cli.IntFlag{Name: "diff", Usage: "show up to `N` of the changes, at most 1000", Value: shownChanges}),
					outputFlag("table", "json"),
				},
				Action: asking(syncRun),
			},
			{
				Name:  "status",
				Usage: "show how the directory is followed, what is held and what is odd in it",
				Flags: []cli.Flag{
					counted(mostShown, &cli.IntFlag{Name: "unmapped", Usage: "list up to `N` entries of which no contract can be made, at most 1000", Value: 20}),
					outputFlag("table", "json"),
				},
				Action: asking(syncStatus),
			},
			{Name: "diff", Usage: "list the changes that are held", Flags: []cli.Flag{listFlag()}, Action: asking(syncDiff)},
			{
				Name:        "approve",
				Usage:       "make the changes that are held under HELD-ID, exactly those",
				ArgsUsage:   "HELD-ID",
				Description: "Who approved and why stands in the audit. If something else is held by now, nothing is changed.",
				Flags: []cli.Flag{
					&cli.StringFlag{Name: "reason", Aliases: []string{"r"}, Usage: "`WHY`; required"},
					&cli.BoolFlag{Name: "keep-overrides", Usage: "also on accounts that belong to another entry now: after a directory was built anew"},
				},
				Before: requires("reason"),
				Action: asking(syncApprove),
			},
			{
				Name:      "drop",
				Usage:     "forget the changes that are held under HELD-ID, and compare anew",
				ArgsUsage: "HELD-ID",
				Flags:     []cli.Flag{&cli.StringFlag{Name: "reason", Aliases: []string{"r"}, Usage: "`WHY`; required"}},
				Before:    requires("reason"),
				Action: asking(func(c *cli.Context, daemon *admin.Client) error {
					return daemon.DropSync(c.Context, c.Args().First(), c.String("reason"))
				}),
			},
			syncCheckCommand(),
		},
	}
}

func syncRun(c *cli.Context, daemon *admin.Client) error {
	show, end := entriesBar(c.App.ErrWriter)
	q := admin.SyncQuestion{Full: c.Bool("full"), DryRun: c.Bool("dry-run"), Diff: c.Int("diff")}
	report, err := daemon.SyncRun(c.Context, q, show)
	end()
	if err != nil {
		return err
	}
	if c.String("output") == "json" {
		return writeJSON(c.App.Writer, report)
	}
	if q.DryRun {
		fmt.Fprintln(c.App.ErrWriter, "dry run, nothing was changed; the run would be:")
	}
	return writeSyncReport(c.App.Writer, report)
}

// entriesBar shows on a terminal how many entries were read: how many there are
// nobody knows before the end.
func entriesBar(messages io.Writer) (show func(int), end func()) {
	if !isTerminal(messages) {
		return func(int) {}, func() {}
	}
	progress := mpb.New(mpb.WithOutput(messages))
	spinner := progress.AddSpinner(0, mpb.AppendDecorators(decor.CurrentNoUnit("%d entries read"), decor.Name(", "), decor.AverageSpeed(0, "%.0f a second")))
	return func(n int) { spinner.SetCurrent(int64(n)) }, func() {
		spinner.Abort(true)
		progress.Wait()
	}
}

func writeSyncReport(w io.Writer, r *admin.SyncReport) error {
	var b strings.Builder
	fmt.Fprintf(&b, "entries %d\n", r.Entries)
	for _, n := range []struct {
		what string
		n    int
	}{
		{"vanished", r.Vanished}, {"returned", r.Returned}, {"replaced", r.Replaced}, {"doubles", r.Doubles},
		{"overrides revoked", r.Overrides}, {"unmapped", r.Unmappable},
	} {
		if n.n > 0 {
			fmt.Fprintf(&b, "%s %d\n", n.what, n.n)
		}
	}
	for _, u := range r.Unmapped {
		fmt.Fprintf(&b, "  %s: %s\n", printable(u.DN), printable(u.Reason))
	}
	for _, u := range r.Courses {
		fmt.Fprintf(&b, "unknown course %s: %d contracts\n", printable(u.Course), u.Contracts)
	}
	if _, err := io.WriteString(w, b.String()); err != nil {
		return err
	}
	return writeReport(w, r.Report)
}

func syncStatus(c *cli.Context, daemon *admin.Client) error {
	s, err := daemon.SyncStatus(c.Context, c.Int("unmapped"))
	if err != nil {
		return err
	}
	if c.String("output") == "json" {
		return writeJSON(c.App.Writer, s)
	}
	return writeSyncStatus(c.App.Writer, s)
}

func writeSyncStatus(w io.Writer, s admin.SyncStatus) error {
	var b strings.Builder
	if !s.Configured {
		b.WriteString("no directory is followed: the site file has no section ldap\n")
	} else {
		writeFollowing(&b, s)
	}
	_, err := io.WriteString(w, b.String())
	return err
}

func writeFollowing(b *strings.Builder, s admin.SyncStatus) {
	fmt.Fprintf(b, "directory  %s by %s: %s\n", printable(s.Server), s.Method, s.Phase)
	fmt.Fprintf(b, "as it was  %s ago", time.Duration(s.AgeSeconds)*time.Second)
	if s.LastFull != nil {
		fmt.Fprintf(b, "; all of it compared at %s", s.LastFull.Format(time.RFC3339))
	}
	fmt.Fprintf(b, "\nentries    %d known, %d contracts in their grace, %d doubles, %d unmapped\n", s.Entries, s.Missing, s.Doubles, s.Unmapped)
	if s.Failures > 0 {
		fmt.Fprintf(b, "FAILED     %d times in a row: %s\n", s.Failures, printable(s.LastError))
	}
	if h := s.Held; h != nil {
		fmt.Fprintf(b, "HELD       %s since %s\n           %s\n", h.ID, h.At.Format(time.RFC3339), h.Guard)
		fmt.Fprintf(b, "           see: sekisho sync diff; make them: sekisho sync approve %s --reason WHY\n", h.ID)
	}
	for _, u := range s.UnknownCourses {
		fmt.Fprintf(b, "unknown course %s: %d contracts\n", printable(u.Course), u.Contracts)
	}
	for _, u := range s.UnmappedEntries {
		fmt.Fprintf(b, "unmapped %s: %s\n", printable(u.DN), printable(u.Reason))
	}
}

// heldListing writes changes of contracts.
var heldListing = listing[store.ContractChange]{
	columns: []string{"account", "before", "after"},
	cells: func(c store.ContractChange) []string {
		return []string{c.Account, side(c.Before), side(c.After)}
	},
}

func side(k *store.ContractAsStored) string {
	if k == nil {
		return "(none)"
	}
	return strings.Join(said(k), ", ")
}

func syncDiff(c *cli.Context, daemon *admin.Client) error {
	page, err := daemon.HeldSync(c.Context, "", 1)
	if err != nil {
		return err
	}
	if page.Held == nil {
		return notFound("nothing is held")
	}
	fmt.Fprintf(c.App.ErrWriter, "%s, held since %s: %s\n", page.Held.ID, page.Held.At.Format(time.RFC3339), page.Held.Guard)
	return heldListing.write(c, daemon.AllHeldSync(c.Context, page.Held.ID))
}

func syncApprove(c *cli.Context, daemon *admin.Client) error {
	report, err := daemon.ApproveSync(c.Context, c.Args().First(), admin.Approval{Reason: c.String("reason"), KeepOverrides: c.Bool("keep-overrides")})
	if err != nil {
		return err
	}
	return writeSyncReport(c.App.Writer, &admin.SyncReport{DirectoryReport: report})
}
