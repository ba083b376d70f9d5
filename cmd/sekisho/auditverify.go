package main

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"sekisho/cmd/internal/admin"
	"sekisho/store"

	"github.com/urfave/cli/v2"
)

func verifyAuditCommand() *cli.Command {
	return &cli.Command{
		Name:      "verify",
		Usage:     "find whether the trail was edited, cut or reordered, and where",
		ArgsUsage: "[FILE]",
		Description: "Without FILE the daemon verifies its own trail; FILE is one that was exported, and no daemon is asked.\n" +
			"Exit code 1 says that it is not as it was written. Whoever can write the database can write a whole new trail:\n" +
			"note the head elsewhere now and then, and --head HASH finds that out.",
		Flags: []cli.Flag{
			&cli.StringFlag{Name: "head", Usage: "the entry with this `HASH` must still be in the trail"},
			outputFlag("table", "json"),
		},
		Before: checkHead,
		Action: func(c *cli.Context) error {
			if c.Args().Present() {
				return verifyExport(c, c.Args().First())
			}
			return asking(verifyAudit)(c)
		},
	}
}

// checkHead refuses what is no hash: it would be told that the trail was edited,
// which is an alarm.
func checkHead(c *cli.Context) error {
	head := c.String("head")
	hash, err := hex.DecodeString(head)
	if head != "" && (err != nil || len(hash) != sha256.Size) {
		return usagef("--head: expected the %d digits of a head as audit verify prints it, got %q", 2*sha256.Size, head)
	}
	return nil
}

func verifyAudit(c *cli.Context, daemon *admin.Client) error {
	report, err := daemon.VerifyAudit(c.Context)
	if err != nil {
		return err
	}
	return tellVerified(c, report, daemon.AllAudit(c.Context, admin.AuditQuery{}))
}

func verifyExport(c *cli.Context, name string) error {
	file, err := os.Open(name)
	if err != nil {
		return err
	}
	defer file.Close()
	found, err := store.VerifyExport(file)
	if err != nil {
		return err
	}
	if _, err := file.Seek(0, io.SeekStart); err != nil {
		return err
	}
	return tellVerified(c, reportOf(found), exported(file))
}

// reportOf is what a verification has found, as the daemon tells it.
func reportOf(r store.AuditReport) admin.AuditReport {
	told := admin.AuditReport{
		OK: r.OK(), Entries: r.Entries, First: r.First, Last: r.Last, Head: hex.EncodeToString(r.Head[:]), Faults: []admin.AuditFault{}, More: r.More,
	}
	for _, f := range r.Faults {
		told.Faults = append(told.Faults, admin.AuditFault(f))
	}
	return told
}

// exported reads an export that was verified.
func exported(r io.Reader) sequence[admin.AuditEntry] {
	return func(yield func(admin.AuditEntry, error) bool) {
		for lines := json.NewDecoder(r); ; {
			var e admin.AuditEntry
			err := lines.Decode(&e)
			if errors.Is(err, io.EOF) || !yield(e, err) || err != nil {
				return
			}
		}
	}
}

// errTrail is that a trail is not as it was written.
var errTrail = errors.New("the audit is not as it was written")

func tellVerified(c *cli.Context, r admin.AuditReport, trail sequence[admin.AuditEntry]) error {
	if head := c.String("head"); head != "" && r.OK {
		there, err := contains(trail, head)
		if err != nil {
			return err
		}
		if !there {
			r.OK = false
			r.Faults = append(r.Faults, admin.AuditFault{Seq: r.Last, What: store.AuditEdited, Text: "no entry has the hash " + head})
		}
	}
	err := writeVerified(c, r)
	if err == nil && !r.OK {
		err = errTrail
	}
	return err
}

func contains(trail sequence[admin.AuditEntry], hash string) (bool, error) {
	for e, err := range trail {
		if err != nil {
			return false, err
		}
		if strings.EqualFold(e.Hash, hash) {
			return true, nil
		}
	}
	return false, nil
}

func writeVerified(c *cli.Context, r admin.AuditReport) error {
	if c.String("output") == "json" {
		return writeJSON(c.App.Writer, r)
	}
	var b strings.Builder
	for _, f := range r.Faults {
		fmt.Fprintf(&b, "entry %d: %s: %s\n", f.Seq, f.What, printable(f.Text))
	}
	if r.More {
		b.WriteString("… and more\n")
	}
	verdict := "ok"
	if !r.OK {
		verdict = "NOT as it was written"
	}
	fmt.Fprintf(&b, "%s: %d entries, %d to %d\nhead %s\n", verdict, r.Entries, r.First, r.Last, r.Head)
	_, err := io.WriteString(c.App.Writer, b.String())
	return err
}
