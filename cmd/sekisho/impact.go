package main

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"

	"sekisho/cmd/internal/admin"
	"sekisho/engine/policyfile"

	"github.com/urfave/cli/v2"
	"github.com/vbauerster/mpb/v8"
	"github.com/vbauerster/mpb/v8/decor"
)

func impactCommand() *cli.Command {
	return &cli.Command{
		Name:  "impact",
		Usage: "show whom a date, a new policy or a planned stage newly affects, over all contracts",
		Description: "Compares the daemon's policy now with what is asked for. Every login form and every area of the site file counts:\n" +
			"an account that changes in one of them is listed with it. csv is the list of accounts for the letters.",
		Flags: []cli.Flag{
			&cli.StringFlag{Name: "at", Usage: "on this `TIME` instead of now"},
			&cli.StringFlag{Name: "policy", Aliases: []string{"p"}, Usage: "with this policy file or shipped policy instead of the daemon's"},
			&cli.StringSliceFlag{Name: "stage", Usage: "with this planned `STAGE` in force"},
			&cli.StringFlag{Name: "since", Usage: "compare with the daemon's policy on this `TIME` instead of now"},
			&cli.StringFlag{Name: "budget", Usage: "fail with exit code 5 when more accounts than `N`, or N%, change"},
			listFlag(),
		},
		Action: impact,
	}
}

func impact(c *cli.Context) error {
	allowed, err := readBudget(c.String("budget"))
	if err != nil {
		return err
	}
	q, err := impactQuestion(c)
	if err != nil {
		return err
	}
	out := bufio.NewWriter(c.App.Writer)
	w := impactWriters[c.String("output")](out)
	q.Accounts = w.account != nil
	totals, err := askImpact(c, q, w)
	if err != nil {
		_ = out.Flush() // what came before the error is right
		return err
	}
	if err := w.totals(totals); err != nil {
		return err
	}
	if err := out.Flush(); err != nil {
		return err
	}
	return allowed.hold(totals)
}

func impactQuestion(c *cli.Context) (admin.ImpactQuestion, error) {
	q := admin.ImpactQuestion{Since: c.String("since"), At: c.String("at"), Stages: c.StringSlice("stage")}
	name := c.String("policy")
	if q.At == "" && len(q.Stages) == 0 && name == "" {
		return q, usagef("impact: expected --at, --policy or --stage")
	}
	var err error
	q.Policy, err = policyText(c, name)
	return q, err
}

// policyText reads a policy file or shipped policy to be sent; nil for none.
func policyText(c *cli.Context, name string) (*admin.PolicyText, error) {
	if name == "" {
		return nil, nil
	}
	text, ok := policyfile.Source(name)
	if !ok {
		if _, err := loadPolicy(c, name); err != nil { // says what is wrong with it, or that there is none
			return nil, err
		}
		var err error
		if text, err = os.ReadFile(name); err != nil {
			return nil, err
		}
	}
	return &admin.PolicyText{Name: name, Text: string(text)}, nil
}

// askImpact passes every account on and shows on a terminal how far it is.
func askImpact(c *cli.Context, q admin.ImpactQuestion, w impactWriter) (*admin.ImpactTotals, error) {
	client, err := dial(c)
	if err != nil {
		return nil, err
	}
	defer client.Close()
	show, end := progressBar(c.App.ErrWriter)
	defer end()
	return client.Impact(c.Context, q, func(line admin.ImpactLine) error {
		switch {
		case line.Progress != nil:
			show(*line.Progress)
		case line.Account != nil && w.account != nil:
			return w.account(*line.Account)
		}
		return nil
	})
}

// progressBar is shown from the first progress on, on a terminal only.
func progressBar(messages io.Writer) (show func(admin.Progress), end func()) {
	if !isTerminal(messages) {
		return func(admin.Progress) {}, func() {}
	}
	progress := mpb.New(mpb.WithOutput(messages))
	var bar *mpb.Bar
	show = func(p admin.Progress) {
		if bar == nil {
			bar = progress.AddBar(int64(p.Of),
				mpb.PrependDecorators(decor.CountersNoUnit("%d of %d contracts")),
				mpb.AppendDecorators(decor.Percentage(), decor.Name(" "), decor.AverageETA(decor.ET_STYLE_GO)))
		}
		bar.SetCurrent(int64(p.Read))
	}
	return show, func() {
		if bar != nil {
			bar.Abort(true)
		}
		progress.Wait()
	}
}

// A budget is how many accounts may change.
type budget struct {
	text    string
	number  int
	percent float64
}

func readBudget(text string) (budget, error) {
	b := budget{text: text}
	var err error
	if percent, ok := strings.CutSuffix(text, "%"); ok {
		b.percent, err = strconv.ParseFloat(percent, 64)
	} else if text != "" {
		b.number, err = strconv.Atoi(text)
	}
	if err != nil || b.number < 0 || !(b.percent >= 0 && b.percent <= 100) {
		return b, usagef("--budget: expected a number such as 100 or a share such as 2.5%%, got %q", text)
	}
	return b, nil
}

func (b budget) hold(t *admin.ImpactTotals) error {
	limit := float64(b.number)
	if strings.HasSuffix(b.text, "%") {
		limit = b.percent / 100 * float64(t.Contracts)
	}
	if b.text == "" || float64(t.Flipped) <= limit {
		return nil
	}
	return refused(fmt.Sprintf("%d of %d accounts change: the budget is %s", t.Flipped, t.Contracts, b.text))
}
