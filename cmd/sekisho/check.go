package main

import (
	"errors"
	"fmt"

	"sekisho/cmd/internal/config"

	"github.com/urfave/cli/v2"
)

func checkCommand() *cli.Command {
	return &cli.Command{
		Name:      "check",
		Usage:     "check the site file and everything it names, without running anything",
		ArgsUsage: "[FILE]",
		Flags: []cli.Flag{
			configFlag(),
			&cli.BoolFlag{Name: "schema", Usage: "print the JSON Schema of site files, for editors"},
		},
		Action: check,
	}
}

// check prints every mistake of the files on stderr, one a line, as
// file:line:column: key: what is wrong and what was expected.
func check(c *cli.Context) error {
	if c.Bool("schema") {
		return printSchema(c)
	}
	file := c.String("config")
	if c.Args().Present() {
		file = c.Args().First()
	}
	conf, problems := config.Load(file)
	for _, p := range problems {
		fmt.Fprintln(c.App.ErrWriter, p)
	}
	if err := problems.Err(); err != nil {
		return errors.New(file + " has errors")
	}
	_, err := fmt.Fprintf(c.App.Writer, "%s: ok, policy %s, %d NAS, %d realms\n",
		file, conf.Policy.Name, len(conf.Radius.NAS), len(conf.Radius.Realms))
	return err
}

func printSchema(c *cli.Context) error {
	schema, err := config.Schema()
	if err != nil {
		return err
	}
	_, err = c.App.Writer.Write(schema)
	return err
}
