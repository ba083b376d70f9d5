package main

import (
	"fmt"
	"io"
	"os"
	"strings"

	"sekisho/cmd/internal/admin"
	"sekisho/store"

	"github.com/urfave/cli/v2"
)

const (
	// shownChanges is how many changes are shown before somebody is asked.
	shownChanges = 10
	mostShown    = 1000 // of changes and entries, by the daemon's limit
	// deletePercent is how many of the contracts an import deletes without
	// being told that it may.
	deletePercent = 10
)

func importContractsCommand() *cli.Command {
	return &cli.Command{
		Name:      "import",
		Usage:     "add and change contracts from CSV, all of them or none",
		ArgsUsage: "FILE|-",
		Description: "The header line names the columns account, course, address, area, segment, options and\n" +
			"status, in any order; account and course must be there. Options are separated by semicolons.\n" +
			"On a terminal what would change is shown first, and you are asked. Elsewhere the limits decide:\n" +
			"beyond one of them nothing is imported, and the exit code is 5.",
		Flags: []cli.Flag{
			&cli.BoolFlag{Name: "dry-run", Usage: "only report what would change"},
			&cli.BoolFlag{Name: "replace", Usage: "delete the contracts that are not in the file"},
			yesFlag(),
			&cli.IntFlag{Name: "max-delete-percent", Usage: "refuse to delete more than `N`% of the contracts; 100: all of them", Value: deletePercent},
			&cli.IntFlag{Name: "max-deletes", Usage: "refuse to delete more than `N` contracts"},
			&cli.IntFlag{Name: "max-changes", Usage: "refuse to add, change and delete more than `N` contracts"},
			&cli.IntFlag{Name: "min-contracts", Usage: "refuse a file with fewer than `N` contracts"},
			counted(mostShown, &cli.IntFlag{Name: "diff", Usage: "show up to `N` of the changes, at most 1000", Value: shownChanges}),
			reasonFlag(),
			outputFlag("table", "json"),
		},
		Action: importContracts,
	}
}

func importContracts(c *cli.Context) error {
	opts := admin.ImportOptions{Replace: c.Bool("replace"), Guards: guards(c), Diff: c.Int("diff"), Reason: c.String("reason")}
	if c.Bool("dry-run") {
		opts.DryRun = true
		return reportImport(c, opts)
	}
	if c.Args().First() == "-" || c.Bool("yes") || !asks(c) {
		opts.Diff = 0
		return reportImport(c, opts)
	}
	return importAsked(c, opts)
}

// guards are the limits of the command line. Who says --yes means it, and who
// tries wants to see it: then only the limits that are said hold.
func guards(c *cli.Context) store.Guards {
	g := store.Guards{MinContracts: c.Int("min-contracts")}
	for flag, limit := range map[string]*int{
		"max-deletes": &g.MaxDeletes, "max-delete-percent": &g.MaxDeletePercent, "max-changes": &g.MaxChanges,
	} {
		if c.IsSet(flag) {
			*limit = atMost(c.Int(flag))
		}
	}
	if !c.Bool("yes") && !c.Bool("dry-run") && g.MaxDeletes == 0 && g.MaxDeletePercent == 0 {
		g.MaxDeletePercent = deletePercent
	}
	return g
}

// atMost is a limit as guards have it, for which 0 is none.
func atMost(n int) int {
	if n == 0 {
		return -1
	}
	return n
}

// importAsked shows what the import would be, asks, and lets nothing more
// happen than was shown.
func importAsked(c *cli.Context, opts admin.ImportOptions) error {
	dry := opts
	dry.DryRun, dry.Guards = true, store.Guards{}
	report, err := sendContracts(c, dry)
	if err != nil {
		return err
	}
	fmt.Fprintf(c.App.ErrWriter, "the import of %s would be:\n", c.Args().First())
	if err := writeReport(c.App.ErrWriter, report); err != nil {
		return err
	}
	changes := report.Added + report.Changed + report.Deleted
	if changes == 0 {
		return nil
	}
	if err := confirm(c, "Import this?"); err != nil {
		return err
	}
	opts.Guards = store.Guards{MaxDeletes: atMost(report.Deleted), MaxChanges: atMost(changes)}
	opts.Diff = 0
	return reportImport(c, opts)
}

func reportImport(c *cli.Context, opts admin.ImportOptions) error {
	report, err := sendContracts(c, opts)
	if err != nil {
		return err
	}
	if opts.DryRun {
		fmt.Fprintln(c.App.ErrWriter, "dry run, nothing was changed; the import would be:")
	}
	if c.String("output") == "json" {
		return writeJSON(c.App.Writer, report)
	}
	return writeReport(c.App.Writer, report)
}

func sendContracts(c *cli.Context, opts admin.ImportOptions) (store.Report, error) {
	name, body, err := openImport(c)
	if err != nil {
		return store.Report{}, err
	}
	defer body.Close()
	client, err := dial(c)
	if err != nil {
		return store.Report{}, err
	}
	defer client.Close()
	sent, endBar := withBar(body, c.App.ErrWriter)
	defer endBar()
	return client.ImportContracts(c.Context, name, sent, opts)
}

func openImport(c *cli.Context) (name string, body io.ReadCloser, err error) {
	if name = c.Args().First(); name == "-" {
		return "stdin", io.NopCloser(c.App.Reader), nil
	}
	body, err = os.Open(name)
	return name, body, err
}

func writeReport(w io.Writer, r store.Report) error {
	var b strings.Builder
	fmt.Fprintf(&b, "added %d\nchanged %d\nunchanged %d\ndeleted %d\n", r.Added, r.Changed, r.Unchanged, r.Deleted)
	if r.Diff != nil {
		for _, change := range r.Diff.Changes {
			writeChange(&b, change)
		}
		if r.Diff.More > 0 {
			fmt.Fprintf(&b, "… and %d more\n", r.Diff.More)
		}
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// writeChange shows a contract that comes (+), goes (-) or becomes another (~).
func writeChange(b *strings.Builder, change store.ContractChange) {
	account := printable(change.Account)
	switch {
	case change.Before == nil:
		fmt.Fprintf(b, "+ %s: %s\n", account, strings.Join(said(change.After), ", "))
	case change.After == nil:
		fmt.Fprintf(b, "- %s: %s\n", account, strings.Join(said(change.Before), ", "))
	default:
		fmt.Fprintf(b, "~ %s: %s\n", account, strings.Join(differing(change.Before, change.After), ", "))
	}
}

// contractFields are what a contract may say, by the columns of its CSV.
func contractFields(k *store.ContractAsStored) [][2]string {
	return [][2]string{
		{"account", k.Account}, {"course", k.Course}, {"address", k.Address}, {"area", k.Area}, {"segment", k.Segment},
		{"options", strings.Join(k.Options, ";")}, {"status", k.Status},
	}
}

func said(k *store.ContractAsStored) (fields []string) {
	for _, f := range contractFields(k)[1:] {
		if f[1] != "" {
			fields = append(fields, f[0]+" "+printable(f[1]))
		}
	}
	return fields
}

func differing(before, after *store.ContractAsStored) (fields []string) {
	then := contractFields(before)
	for i, f := range contractFields(after) {
		if f[1] != then[i][1] {
			fields = append(fields, fmt.Sprintf("%s %s → %s", f[0], orNothing(then[i][1]), orNothing(f[1])))
		}
	}
	return fields
}

func orNothing(text string) string {
	if text == "" {
		return "(none)"
	}
	return printable(text)
}
