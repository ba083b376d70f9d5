package main

import (
	"slices"
	"strings"

	"sekisho/cmd/internal/admin"
	"sekisho/engine"

	"github.com/urfave/cli/v2"
)

func showContractCommand() *cli.Command {
	return &cli.Command{
		Name:      "show",
		Usage:     "show the contract of an account",
		ArgsUsage: "ACCOUNT",
		Flags:     []cli.Flag{listFlag()},
		Action: asking(func(c *cli.Context, daemon *admin.Client) error {
			contract, err := daemon.Contract(c.Context, c.Args().First())
			if err != nil {
				return err
			}
			return contractListing.write(c, each([]engine.Contract{contract}))
		}),
	}
}

func searchContractsCommand() *cli.Command {
	return &cli.Command{
		Name:      "search",
		Usage:     "list the contracts that have all of what is asked for; reads them all",
		ArgsUsage: "[TEXT]",
		Description: "TEXT stands anywhere in the account, whatever its case. Of a flag that is given more than once, one\n" +
			"value is enough. A flag with an empty value finds contracts that do not say it.",
		Flags: []cli.Flag{
			&cli.StringSliceFlag{Name: "course", Usage: "of this `COURSE`"},
			&cli.StringSliceFlag{Name: "address", Usage: "with this kind of `ADDRESS`"},
			&cli.StringSliceFlag{Name: "area", Usage: "in this `AREA`"},
			&cli.StringSliceFlag{Name: "segment", Usage: "of this `SEGMENT`"},
			&cli.StringSliceFlag{Name: "option", Usage: "with this `OPTION`"},
			&cli.StringSliceFlag{Name: "status", Usage: "of this `STATUS`"},
			counted(anyNumber, &cli.IntFlag{Name: "limit", Usage: "end after `N`; 0: all"}),
			listFlag(),
		},
		Action: asking(searchContracts),
	}
}

func searchContracts(c *cli.Context, daemon *admin.Client) error {
	return contractListing.write(c, matching(daemon.AllContracts(c.Context, ""), contractFilter(c), c.Int("limit")))
}

// contractFilter tells whether a contract has all that the flags ask for.
func contractFilter(c *cli.Context) func(engine.Contract) bool {
	text := engine.Fold(c.Args().First())
	has := func(flag string, got ...string) bool {
		if !c.IsSet(flag) {
			return true
		}
		return slices.ContainsFunc(c.StringSlice(flag), func(want string) bool {
			return slices.Contains(got, want) || want == "" && len(got) == 0
		})
	}
	return func(k engine.Contract) bool {
		return strings.Contains(engine.Fold(k.Account), text) && has("course", k.Course) && has("address", k.Address) && has("area", k.Area) &&
			has("segment", k.Segment) && has("option", k.Options...) && has("status", k.Status)
	}
}

// matching passes on what is wanted, at most limit of it unless that is 0.
func matching[T any](all sequence[T], wanted func(T) bool, limit int) sequence[T] {
	return func(yield func(T, error) bool) {
		n := 0
		for thing, err := range all {
			if err == nil && !wanted(thing) {
				continue
			}
			if n++; !yield(thing, err) || n == limit {
				return
			}
		}
	}
}

func exportContractsCommand() *cli.Command {
	return &cli.Command{
		Name:      "export",
		Usage:     "write the contracts whose accounts begin with PREFIX, or all of them, as CSV that import reads",
		ArgsUsage: "[PREFIX]",
		Action: asking(func(c *cli.Context, daemon *admin.Client) error {
			return contractListing.csv(c.App.Writer, daemon.AllContracts(c.Context, c.Args().First()))
		}),
	}
}
