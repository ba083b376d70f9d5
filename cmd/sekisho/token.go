package main

import (
	"fmt"
	"time"

	"sekisho/cmd/internal/admin"

	"github.com/urfave/cli/v2"
)

var givenRoles = []string{"viewer", "support", "operator", "admin"}

func tokenCommand() *cli.Command {
	return &cli.Command{
		Name:  "token",
		Usage: "create, list and revoke the tokens by which programs are let in",
		Subcommands: []*cli.Command{
			{
				Name:        "create",
				Usage:       "make a token and print it, once",
				ArgsUsage:   "NEW-NAME",
				Description: "Only the token goes to standard output: (umask 077; sekisho token create noc --role support > noc.token)",
				Flags: []cli.Flag{
					oneOf(givenRoles, &cli.StringFlag{Name: "role", Usage: "what it may do, a `ROLE`: " + alternatives(givenRoles) + "; required"}),
					&cli.StringFlag{Name: "expires", Usage: "`WHEN`, as in grant --until, or never; in 90 days where it is not said"},
					reasonFlag(),
				},
				Before: requires("role"),
				Action: atDesk(createToken),
			},
			{Name: "list", Usage: "list all tokens, also those that are over; never what they are", Flags: []cli.Flag{listFlag()}, Action: atDesk(listTokens)},
			{
				Name:      "revoke",
				Usage:     "end a token at once",
				ArgsUsage: "TOKEN-NAME",
				Flags:     []cli.Flag{&cli.StringFlag{Name: "reason", Aliases: []string{"r"}, Usage: "`WHY`; required"}},
				Before:    requires("reason"),
				Action:    atDesk(revokeToken),
			},
		},
	}
}

func createToken(d *desk) error {
	role, err := admin.ParseRole(d.String("role"))
	if err != nil {
		return usageError{err}
	}
	wanted := admin.NewToken{Name: d.Args().First(), Role: role, Expires: d.String("expires"), Reason: d.String("reason")}
	if wanted.Expires != "never" {
		expires, err := d.at("expires", d.people.untilLater, d.people.sayEnd)
		if err != nil {
			return err
		}
		wanted.Expires = sent(expires)
	}
	made, err := d.client.CreateToken(d.Context.Context, wanted)
	if err != nil {
		return err
	}
	fmt.Fprintf(d.App.ErrWriter, "token %s, role %s, expires %s; it is not shown again:\n", made.Token.Name, made.Token.Role, d.expiry(made.Token))
	_, err = fmt.Fprintln(d.App.Writer, made.Secret)
	return err
}

func (d *desk) expiry(t admin.Token) string {
	if t.Expires == nil {
		return "never"
	}
	return d.people.sayEnd(*t.Expires)
}

func listTokens(d *desk) error {
	tokens, err := d.client.Tokens(d.Context.Context)
	if err != nil {
		return err
	}
	return listing[admin.Token]{
		columns: []string{"name", "role", "state", "created", "author", "expires"},
		cells: func(t admin.Token) []string {
			return []string{t.Name, t.Role.String(), t.State, t.Created.In(d.people.zone).Format(time.DateTime), t.Author, d.shortEnd(t.Expires)}
		},
	}.write(d.Context, each(tokens))
}

// each makes a list of what is there.
func each[T any](things []T) sequence[T] {
	return func(yield func(T, error) bool) {
		for _, thing := range things {
			if !yield(thing, nil) {
				return
			}
		}
	}
}

func revokeToken(d *desk) error {
	t, err := d.client.RevokeToken(d.Context.Context, d.Args().First(), d.String("reason"))
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(d.App.Writer, "revoked the token %s\n", t.Name)
	return err
}
