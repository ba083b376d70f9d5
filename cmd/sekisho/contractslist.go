package main

import (
	"bufio"
	"encoding/json"
	"io"
	"iter"
	"strings"

	"sekisho/cmd/internal/admin"
	"sekisho/engine"
	"sekisho/store"

	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/urfave/cli/v2"
)

func listContractsCommand() *cli.Command {
	return &cli.Command{
		Name:      "list",
		Usage:     "list the contracts whose accounts begin with PREFIX, or all of them",
		ArgsUsage: "[PREFIX]",
		Flags:     []cli.Flag{outputFlag("table", "json", "csv", "ndjson")},
		Action:    listContracts,
	}
}

// contractSeq is what the daemon lists; an error is its last element.
type contractSeq = iter.Seq2[engine.Contract, error]

// contractWriters are the formats of a list. All but the table write while
// they read, so that millions need no memory; csv is what import reads.
var contractWriters = map[string]func(io.Writer, contractSeq) error{
	"table":  writeContractTable,
	"json":   writeContractArray,
	"ndjson": writeContractLines,
	"csv":    func(w io.Writer, contracts contractSeq) error { return store.WriteContracts(w, contracts) },
}

func listContracts(c *cli.Context) error {
	if c.NArg() > 1 {
		return usagef("contracts list: expected at most one PREFIX, got %d", c.NArg())
	}
	write, ok := contractWriters[c.String("output")]
	if !ok {
		return usagef("--output: expected table, json, csv or ndjson, got %q", c.String("output"))
	}
	client := admin.Dial(c.String("socket"))
	defer client.Close()
	out := bufio.NewWriter(c.App.Writer)
	if err := write(out, client.AllContracts(c.Context, c.Args().First())); err != nil {
		_ = out.Flush() // what came before the error is right
		return err
	}
	return out.Flush()
}

// writeContractTable leaves the width of Japanese text to the library.
func writeContractTable(w io.Writer, contracts contractSeq) error {
	t := table.NewWriter()
	style := table.StyleDefault
	style.Options = table.OptionsNoBordersAndSeparators
	style.Box.PaddingLeft, style.Box.PaddingRight = "", "  "
	t.SetStyle(style)
	t.SuppressTrailingSpaces()
	t.AppendHeader(table.Row{"account", "course", "address", "area", "segment", "options", "status"})
	for c, err := range contracts {
		if err != nil {
			return err
		}
		t.AppendRow(table.Row{c.Account, c.Course, c.Address, c.Area, c.Segment, strings.Join(c.Options, ";"), c.Status})
	}
	_, err := io.WriteString(w, t.Render()+"\n")
	return err
}

func writeContractLines(w io.Writer, contracts contractSeq) error {
	lines := json.NewEncoder(w)
	lines.SetEscapeHTML(false)
	for c, err := range contracts {
		if err != nil {
			return err
		}
		if err := lines.Encode(admin.Contract(c)); err != nil {
			return err
		}
	}
	return nil
}

func writeContractArray(w io.Writer, contracts contractSeq) error {
	before := "[\n"
	for c, err := range contracts {
		if err != nil {
			return err
		}
		element, err := json.Marshal(admin.Contract(c))
		if err != nil {
			return err
		}
		if _, err := io.WriteString(w, before+string(element)); err != nil {
			return err
		}
		before = ",\n"
	}
	end := "\n]\n"
	if before == "[\n" {
		end = "[]\n"
	}
	_, err := io.WriteString(w, end)
	return err
}
