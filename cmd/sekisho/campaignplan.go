package main

import (
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"sekisho/cmd/internal/admin"

	"github.com/urfave/cli/v2"
)

func campaignPlanCommand() *cli.Command {
	return &cli.Command{
		Name:  "plan",
		Usage: "show what routers would be told of the live sessions, and how long that takes; tells nobody anything",
		Description: "Without a flag: what is to be told now. The profiles are those of the site file as the daemon has it, with the filters of\n" +
			"the other policy where one is given: sessions that were told the old names would be told the new ones.\n" +
			"The time is what the rate asks for; a router that is slow to answer takes longer.",
		Flags: []cli.Flag{
			&cli.StringFlag{Name: "at", Usage: "on this `TIME` instead of now"},
			&cli.StringFlag{Name: "policy", Aliases: []string{"p"}, Usage: "with this policy file or shipped policy instead of the daemon's"},
			&cli.StringSliceFlag{Name: "stage", Usage: "with this planned `STAGE` in force"},
			outputFlag("table", "json"),
		},
		Action: atDesk(planCampaign),
	}
}

func planCampaign(d *desk) error {
	q := admin.PlanQuestion{At: d.String("at"), Stages: d.StringSlice("stage")}
	var err error
	if q.Policy, err = policyText(d.Context, d.String("policy")); err != nil {
		return err
	}
	plan, err := d.client.PlanCampaign(d.Context.Context, q)
	if err != nil {
		return err
	}
	if d.String("output") == "json" {
		return writeJSON(d.App.Writer, plan)
	}
	_, err = io.WriteString(d.App.Writer, planned(plan))
	return err
}

// planned prints a plan, NAS by NAS.
func planned(plan admin.CampaignPlan) string {
	var b strings.Builder
	fmt.Fprintf(&b, "dry run, nothing is told: policy %s at %s\n", printable(plan.Policy), plan.At.Format(time.RFC3339))
	for _, n := range plan.NAS {
		fmt.Fprintf(&b, "  %s: %s\n", routerName(n.NAS, n.Box), pacing(n))
		for _, c := range n.Changes {
			from := c.From
			if from == "" {
				from = "not known"
			}
			fmt.Fprintf(&b, "    %d from %s to %s by %s", c.Sessions, from, c.To, c.By)
			if c.Why != "" {
				fmt.Fprintf(&b, ": %s", printable(c.Why))
			}
			b.WriteByte('\n')
		}
	}
	if len(plan.NAS) == 0 {
		b.WriteString("  no session is live\n")
	}
	return b.String()
}

// pacing says how a NAS would be told.
func pacing(n admin.PlannedNAS) string {
	told := 0
	for _, c := range n.Changes {
		if c.By != "nothing" {
			told += c.Sessions
		}
	}
	text := fmt.Sprintf("%d of %d live sessions would be told", told, n.Sessions)
	if told == 0 {
		return text
	}
	if n.Campaign {
		text += fmt.Sprintf(" in a campaign, canary %d", n.Canary)
	}
	return text + fmt.Sprintf(", %s a second, %d at once, %s", strconv.FormatFloat(n.Rate, 'f', -1, 64), n.Window, time.Duration(n.Takes)*time.Second)
}
