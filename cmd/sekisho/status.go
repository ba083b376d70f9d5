package main

import (
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"

	"sekisho/cmd/internal/admin"

	"github.com/urfave/cli/v2"
)

func statusCommand() *cli.Command {
	return &cli.Command{
		Name:  "status",
		Usage: "show how the daemon is and what it has counted",
		Flags: []cli.Flag{outputFlag("table", "json")},
		Action: asking(func(c *cli.Context, daemon *admin.Client) error {
			status, err := daemon.Status(c.Context)
			if err != nil {
				return err
			}
			if c.String("output") == "json" {
				return writeJSON(c.App.Writer, status)
			}
			return writeStatus(c.App.Writer, status)
		}),
	}
}

func reloadCommand() *cli.Command {
	return &cli.Command{
		Name:  "reload",
		Usage: "make the daemon read its site file anew; with errors the old configuration stays",
		Flags: []cli.Flag{reasonFlag()},
		Action: asking(func(c *cli.Context, daemon *admin.Client) error {
			done, err := daemon.Reload(c.Context, c.String("reason"))
			if err != nil {
				return err
			}
			for _, warning := range done.Warnings {
				fmt.Fprintln(c.App.ErrWriter, "warning:", printable(warning))
			}
			_, err = fmt.Fprintln(c.App.Writer, "reloaded")
			return err
		}),
	}
}

func writeJSON(w io.Writer, v any) error {
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	e.SetEscapeHTML(false)
	return e.Encode(v)
}

func writeStatus(w io.Writer, s admin.Status) error {
	var b strings.Builder
	fmt.Fprintf(&b, "sekisho %s, pid %d, up %s\n", s.Version, s.PID, time.Since(s.Started).Round(time.Second))
	fmt.Fprintf(&b, "site file  %s\npolicy     %s at %s\n", s.Config, s.Policy, s.Clock.Format(time.RFC3339))
	fmt.Fprintf(&b, "contracts  %d\nsessions   %d live\nlistening  auth %s, acct %s", s.Contracts, s.Sessions.Live, strings.Join(s.Auth, " "), strings.Join(s.Acct, " "))
	if len(s.CoA) > 0 {
		fmt.Fprintf(&b, ", coa %s", strings.Join(s.CoA, " "))
	}
	b.WriteByte('\n')
	if !s.Reload.OK {
		fmt.Fprintf(&b, "RELOAD FAILED at %s, the old configuration stays:\n%s\n", s.Reload.At.Format(time.RFC3339), s.Reload.Error)
	}
	for _, warning := range slices.Concat(s.Sessions.Warnings(), s.Reload.Warnings) {
		fmt.Fprintf(&b, "warning: %s\n", printable(warning))
	}
	for _, n := range s.NAS {
		fmt.Fprintf(&b, "\nNAS %s, area %q, profile %q, %d waiting\n", n.Name, n.Area, n.Profile, n.Outstanding)
		counts(&b, "received", n.Received)
		counts(&b, "answered", n.Answered)
		counts(&b, "injection", n.Injections)
		counts(&b, "dropped", n.Dropped)
	}
	for _, a := range s.AAA {
		fmt.Fprintf(&b, "\nAAA %s, %d waiting on %d sockets\n", a.Name, a.Outstanding, a.Sockets)
		for _, address := range slices.Sorted(maps.Keys(a.Ports)) {
			fmt.Fprintf(&b, "  %-10s %s\n", a.Ports[address], address)
		}
		counts(&b, "sent", a.Sent)
		counts(&b, "received", a.Received)
		counts(&b, "dropped", a.Dropped)
	}
	_, err := io.WriteString(w, b.String())
	return err
}

func counts(b *strings.Builder, title string, numbers map[string]uint64) {
	if len(numbers) == 0 {
		return
	}
	fmt.Fprintf(b, "  %-10s", title)
	for _, name := range slices.Sorted(maps.Keys(numbers)) {
		fmt.Fprintf(b, " %s=%d", name, numbers[name])
	}
	b.WriteByte('\n')
}
