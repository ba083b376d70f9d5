package main

import (
	"io"
	"strings"

	"sekisho/cmd/internal/admin"
	"sekisho/engine"
	"sekisho/store"

	"github.com/urfave/cli/v2"
)

func listContractsCommand() *cli.Command {
	return &cli.Command{
		Name:      "list",
		Usage:     "list the contracts whose accounts begin with PREFIX, or all of them",
		ArgsUsage: "[PREFIX]",
		Flags:     []cli.Flag{listFlag()},
		Action:    asking(listContracts),
	}
}

// contractListing writes contracts; its csv is what import reads.
var contractListing = listing[engine.Contract]{
	columns: []string{"account", "course", "address", "area", "segment", "options", "status"},
	cells: func(c engine.Contract) []string {
		return []string{c.Account, c.Course, c.Address, c.Area, c.Segment, strings.Join(c.Options, ";"), c.Status}
	},
	csv: func(w io.Writer, contracts sequence[engine.Contract]) error {
		return store.WriteContracts(w, contracts)
	},
	json: func(c engine.Contract) any { return admin.Contract(c) },
}

func listContracts(c *cli.Context, daemon *admin.Client) error {
	return contractListing.write(c, daemon.AllContracts(c.Context, c.Args().First()))
}
