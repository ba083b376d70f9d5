package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"sekisho/cmd/internal/admin"

	"github.com/urfave/cli/v2"
)

func backupCommand() *cli.Command {
	return &cli.Command{
		Name:      "backup",
		Usage:     "copy the whole database to a new file while the daemon goes on",
		ArgsUsage: "NEW-FILE|-",
		Description: "The copy is complete when the file is there; a file that is there already is not overwritten. - writes it to\n" +
			"stdout: then it is complete if the exit code is 0.\n" +
			"sekisho db check FILE reads it through, sekisho db restore FILE puts it back.",
		Flags:  []cli.Flag{reasonFlag()},
		Action: asking(backup),
	}
}

func backup(c *cli.Context, daemon *admin.Client) error {
	name := c.Args().First()
	if name == "-" {
		if isTerminal(c.App.Writer) {
			return usagef("backup: a terminal cannot keep a database; redirect stdout")
		}
		return daemon.Backup(c.Context, c.App.Writer, c.String("reason"))
	}
	err := newFile(name, func(w io.Writer) error { return daemon.Backup(c.Context, w, c.String("reason")) })
	if err != nil {
		return fmt.Errorf("backup: %w", err)
	}
	info, err := os.Stat(name)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(c.App.Writer, "%s: %d bytes\n", name, info.Size())
	return err
}

// newFile makes a file that is there as a whole or not at all, and never
// replaces another one. Only its owner may read it.
func newFile(name string, write func(io.Writer) error) error {
	if _, err := os.Lstat(name); !errors.Is(err, fs.ErrNotExist) {
		return refused(name + " is there already; it is not overwritten")
	}
	f, err := os.CreateTemp(filepath.Dir(name), "."+filepath.Base(name)+"-")
	if err != nil {
		return err
	}
	defer func() { _ = os.Remove(f.Name()) }() // the file has its own name by then, or was no good
	if err := errors.Join(write(f), f.Sync(), f.Close()); err != nil {
		return err
	}
	// Link, unlike rename, never replaces what has come meanwhile.
	if err := os.Link(f.Name(), name); errors.Is(err, fs.ErrExist) {
		return refused(name + " has come meanwhile; it is not overwritten")
	} else if err != nil {
		return err
	}
	return syncDir(filepath.Dir(name))
}

// syncDir makes a new name in a directory outlast a power cut.
func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}
