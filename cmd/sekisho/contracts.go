package main

import (
	"io"
	"os"

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
