package main

import (
	"errors"
	"fmt"
	"io"
	"strings"

	"sekisho/cmd/internal/config"
	"sekisho/engine"
	"sekisho/store/ldapsync"

	"github.com/urfave/cli/v2"
)

func syncCheckCommand() *cli.Command {
	return &cli.Command{
		Name:  "check",
		Usage: "connect to every server of the site file and show what becomes of the first entries; changes nothing",
		Description: "Needs no daemon. The searches are shown as command lines of ldapsearch, to be tried by hand.\n" +
			"The exit code is 1 when a server cannot be read, or offers nothing by which changes can be found.",
		Flags: []cli.Flag{
			configFlag(),
			counted(anyNumber, &cli.IntFlag{Name: "entries", Usage: "show `N` entries", Value: 10}),
		},
		Action: syncCheck,
	}
}

var errServersFail = errors.New("not every server can be followed")

func syncCheck(c *cli.Context) error {
	conf, problems := config.Load(c.String("config"))
	if err := problems.Err(); err != nil {
		return err
	}
	if conf.Directory == nil {
		return notFound(conf.File + " has no section ldap")
	}
	failed := false
	for _, server := range conf.Directory.Connect.Servers {
		if err := checkServer(c, conf, server); err != nil {
			failed = true
			if _, err := fmt.Fprintf(c.App.Writer, "  FAILED: %s\n", printable(err.Error())); err != nil {
				return err
			}
		}
	}
	if failed {
		return errServersFail
	}
	return nil
}

func checkServer(c *cli.Context, conf *config.Config, server string) error {
	fmt.Fprintln(c.App.Writer, server)
	for _, line := range ldapsync.CommandLines(conf.Directory, server) {
		fmt.Fprintln(c.App.Writer, "  "+line)
	}
	offered, err := conf.Directory.Sample(c.Context, server, c.Int("entries"), func(s ldapsync.Sampled) error {
		return writeSampled(c.App.Writer, conf.Policy, s)
	})
	if err == nil && !offered {
		err = fmt.Errorf("the server does not offer %s; another method can be said in the site file", conf.Directory.Method)
	}
	return err
}

// writeSampled shows an entry and its contracts, or why there are none.
func writeSampled(w io.Writer, policy *engine.Policy, s ldapsync.Sampled) error {
	var b strings.Builder
	fmt.Fprintf(&b, "  %s\n", printable(s.DN))
	if s.Err != nil {
		fmt.Fprintf(&b, "    no contract: %s\n", printable(s.Err.Error()))
	}
	for _, k := range s.Contracts {
		var fields []string
		for _, f := range []struct{ name, value string }{
			{"course", k.Course}, {"address", k.Address}, {"area", k.Area}, {"segment", k.Segment}, {"options", strings.Join(k.Options, ";")}, {"status", k.Status},
		} {
			if f.value != "" {
				fields = append(fields, f.name+" "+printable(f.value))
			}
		}
		fmt.Fprintf(&b, "    account %s: %s\n", printable(engine.Fold(k.Account)), strings.Join(fields, ", "))
		if _, known := policy.Course(k.Course); !known {
			fmt.Fprintf(&b, "      policy %s does not know this course\n", policy.Name)
		}
	}
	_, err := io.WriteString(w, b.String())
	return err
}
