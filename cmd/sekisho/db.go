package main

import (
	"fmt"
	"io"

	"sekisho/cmd/internal/admin"
	"sekisho/cmd/internal/config"
	"sekisho/store"

	"github.com/urfave/cli/v2"
)

func dbCommand() *cli.Command {
	const where = "\nWithout FILE it is the one of the site file. No daemon may hold it."
	return &cli.Command{
		Name:  "db",
		Usage: "check, compact and restore the database file while no daemon holds it",
		Subcommands: []*cli.Command{
			{
				Name: "check", Usage: "read the whole database, or a backup, and find all that is wrong; changes nothing", ArgsUsage: "[FILE]",
				Description: "Every page, everything that is kept twice, and the audit." + where,
				Flags:       []cli.Flag{configFlag(), outputFlag("table", "json")}, Action: checkDB,
			},
			{
				Name: "compact", Usage: "write the database anew without what is free, and give the room back", ArgsUsage: "[FILE]",
				Description: "The copy is checked before it takes the place of the file; until then the file stays as it is." + where,
				Flags:       []cli.Flag{configFlag()}, Action: compactDB,
			},
			{
				Name: "restore", Usage: "put a backup in the place of the database", ArgsUsage: "BACKUP-FILE [FILE]",
				Description: "The backup is checked first and stays where it is; the old database is kept beside the new one." + where,
				Flags:       []cli.Flag{configFlag(), yesFlag(), reasonFlag()}, Action: restoreDB,
			},
		},
	}
}

// database names the file of the n-th argument, or that of the site file.
func database(c *cli.Context, n int) (string, error) {
	if c.NArg() > n {
		return c.Args().Get(n), nil
	}
	conf, problems := config.Load(c.String("config"))
	if err := problems.Err(); err != nil {
		return "", fmt.Errorf("no FILE was named, and the site file cannot tell it: %w", err)
	}
	return conf.Store, nil
}

func checkDB(c *cli.Context) error {
	name, err := database(c, 0)
	if err != nil {
		return err
	}
	report, err := store.CheckFile(name, store.Options{})
	if err != nil {
		return err
	}
	if c.String("output") == "json" {
		return writeJSON(c.App.Writer, struct {
			File      string `json:"file"`
			Bytes     int64  `json:"bytes"`
			Schema    uint64 `json:"schema"`
			Contracts int    `json:"contracts"`
			Overrides int    `json:"overrides"`
			Tokens    int    `json:"tokens"`
			Audit     any    `json:"audit"`
		}{name, report.Size, report.Schema, report.Contracts, report.Overrides, report.Tokens, reportOf(report.Audit)})
	}
	return writeFileReport(c.App.Writer, name, report)
}

func writeFileReport(w io.Writer, name string, r store.FileReport) error {
	_, err := fmt.Fprintf(w, "%s: ok\n%d bytes, schema %d\n%d contracts, %d overrides, %d tokens, %d audit entries\naudit head %x\n",
		name, r.Size, r.Schema, r.Contracts, r.Overrides, r.Tokens, r.Audit.Entries, r.Audit.Head)
	return err
}

func compactDB(c *cli.Context) error {
	name, err := database(c, 0)
	if err != nil {
		return err
	}
	before, after, err := store.Compact(name, store.Options{})
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(c.App.Writer, "%s: %d bytes before, %d after\n", name, before, after)
	return err
}

func restoreDB(c *cli.Context) error {
	backup := c.Args().First()
	by := store.By{Who: admin.Self().String(), From: "db", Why: c.String("reason")}
	if err := by.Check(); err != nil {
		return fmt.Errorf("db restore: %w", err)
	}
	name, err := database(c, 1)
	if err != nil {
		return err
	}
	if asks(c) && !c.Bool("yes") {
		if err := confirm(c, fmt.Sprintf("Put %s in the place of %s?", backup, name)); err != nil {
			return err
		}
	}
	kept, report, err := store.Restore(by, backup, name, store.Options{})
	if err != nil {
		return err
	}
	if kept != "" {
		fmt.Fprintf(c.App.ErrWriter, "the old file is kept as %s\n", kept)
	}
	return writeFileReport(c.App.Writer, name, report)
}
