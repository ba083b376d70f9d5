package main

import (
	"fmt"
	"io"
	"os"

	"sekisho/cmd/internal/admin"
	"sekisho/store"

	"github.com/urfave/cli/v2"
	"github.com/vbauerster/mpb/v8"
	"github.com/vbauerster/mpb/v8/decor"
	"golang.org/x/term"
)

// bigImport is from which size on, in bytes, a file is worth a progress bar:
// smaller ones are sent before it could be read.
const bigImport = 16 << 20

func contractsCommand() *cli.Command {
	return &cli.Command{
		Name:  "contracts",
		Usage: "import, export, list, search and show the subscribers' contracts",
		Subcommands: []*cli.Command{
			importContractsCommand(), exportContractsCommand(), listContractsCommand(), searchContractsCommand(), showContractCommand(),
		},
	}
}

func importContractsCommand() *cli.Command {
	return &cli.Command{
		Name:      "import",
		Usage:     "add and change contracts from CSV, all of them or none",
		ArgsUsage: "FILE|-",
		Description: "The header line names the columns account, course, address, area, segment, options and\n" +
			"status, in any order; account and course must be there. Options are separated by semicolons.",
		Flags: []cli.Flag{
			&cli.BoolFlag{Name: "dry-run", Usage: "only report what would change"},
			&cli.BoolFlag{Name: "replace", Usage: "delete the contracts that are not in the file"},
		},
		Action: importContracts,
	}
}

func importContracts(c *cli.Context) error {
	name, body, err := openImport(c)
	if err != nil {
		return err
	}
	defer body.Close()
	sent, endBar := withBar(body, c.App.ErrWriter)
	opts := admin.ImportOptions{DryRun: c.Bool("dry-run"), Replace: c.Bool("replace")}
	report, err := dial(c).ImportContracts(c.Context, name, sent, opts)
	endBar()
	if err != nil {
		return err
	}
	if opts.DryRun {
		fmt.Fprintln(c.App.ErrWriter, "dry run, nothing was changed; the import would be:")
	}
	return writeReport(c.App.Writer, report)
}

func openImport(c *cli.Context) (name string, body io.ReadCloser, err error) {
	if name = c.Args().First(); name == "-" {
		return "stdin", io.NopCloser(c.App.Reader), nil
	}
	body, err = os.Open(name)
	return name, body, err
}

func writeReport(w io.Writer, r store.Report) error {
	_, err := fmt.Fprintf(w, "added %d\nchanged %d\nunchanged %d\ndeleted %d\n", r.Added, r.Changed, r.Unchanged, r.Deleted)
	return err
}

// withBar shows on a terminal how much of a big file has been sent; end takes
// the bar away.
func withBar(body io.Reader, messages io.Writer) (sent io.Reader, end func()) {
	size, terminal := fileSize(body), isTerminal(messages)
	if size < bigImport || !terminal {
		return body, func() {}
	}
	progress := mpb.New(mpb.WithOutput(messages))
	bar := progress.AddBar(size,
		mpb.PrependDecorators(decor.CountersKibiByte("sending % .1f of % .1f")),
		mpb.AppendDecorators(decor.Percentage(), decor.Name(" "), decor.AverageETA(decor.ET_STYLE_GO)))
	return bar.ProxyReader(body), func() {
		bar.Abort(true)
		progress.Wait()
	}
}

// fileSize is 0 for what is no regular file: its end cannot be known.
func fileSize(r io.Reader) int64 {
	f, ok := r.(*os.File)
	if !ok {
		return 0
	}
	info, err := f.Stat()
	if err != nil || !info.Mode().IsRegular() {
		return 0
	}
	return info.Size()
}

func isTerminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}
