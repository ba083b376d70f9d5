package main

import (
	"fmt"
	"os"

	"sekisho/cmd/internal/chart"
	"sekisho/engine"
	"sekisho/engine/policyfile"

	"github.com/urfave/cli/v2"
)

func policyChartCommand() *cli.Command {
	return &cli.Command{
		Name:      "chart",
		Usage:     "print the questionnaire by which customers find out whether they are affected",
		ArgsUsage: "FILE|NAME",
		Flags: []cli.Flag{
			langFlag(),
			&cli.StringFlag{Name: "html", Usage: "write it to `FILE` as a web page instead, - for stdout"},
			&cli.StringFlag{Name: "at", Usage: "as of this `TIME` instead of now"},
			&cli.StringSliceFlag{Name: "stage", Usage: "pretend that this planned `STAGE` is in force"},
		},
		Action: policyChart,
	}
}

func policyChart(c *cli.Context) error {
	p, err := loadPolicy(c, c.Args().First())
	if err != nil {
		return err
	}
	at, err := atFlag(c, p)
	if err != nil {
		return err
	}
	if err := policyfile.KnownStages(p, c.StringSlice("stage")); err != nil {
		return usagef("--stage: %w", err)
	}
	questions, err := engine.NewChart(p, at, c.StringSlice("stage"))
	if err != nil {
		return err
	}
	return writeChart(c, questions, c.String("lang"))
}

func writeChart(c *cli.Context, questions *engine.Chart, lang string) error {
	switch file := c.String("html"); file {
	case "":
		return chart.Text(c.App.Writer, questions, lang)
	case "-":
		return chart.HTML(c.App.Writer, questions, lang)
	default:
		return writeChartFile(file, questions, lang)
	}
}

func writeChartFile(name string, questions *engine.Chart, lang string) (err error) {
	file, err := os.Create(name)
	if err != nil {
		return fmt.Errorf("writing the chart: %w", err)
	}
	defer func() {
		if closed := file.Close(); err == nil {
			err = closed
		}
	}()
	return chart.HTML(file, questions, lang)
}
