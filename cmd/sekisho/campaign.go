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

func campaignCommand() *cli.Command {
	nas := &cli.StringFlag{Name: "nas", Usage: "at this `NAS` only"}
	box := &cli.StringFlag{Name: "box", Usage: "of the routers behind the NAS entry at this `BOX` only, as list names it"}
	reason := &cli.StringFlag{Name: "reason", Aliases: []string{"r"}, Usage: "`WHY`, for the audit"}
	turning := []cli.Flag{nas, box, reason}
	return &cli.Command{
		Name:  "campaign",
		Usage: "watch, pause, resume and undo what many live sessions are told at a pace",
		Subcommands: []*cli.Command{
			{Name: "list", Usage: "list them, the newest first, a line for each router", Flags: []cli.Flag{listFlag()}, Action: atDesk(listCampaigns)},
			{Name: "show", Usage: "show how far one is at each NAS", ArgsUsage: "CAMPAIGN", Flags: []cli.Flag{outputFlag("table", "json")}, Action: atDesk(showCampaign)},
			campaignPlanCommand(),
			{Name: "pause", Usage: "hold one; single changes still go through", ArgsUsage: "CAMPAIGN", Flags: turning, Action: turnCampaign(admin.PauseCampaign)},
			{Name: "resume", Usage: "go on with one that was paused, has stopped or was undone, canary first", ArgsUsage: "CAMPAIGN", Flags: turning, Action: turnCampaign(admin.ResumeCampaign)},
			{
				Name:        "undo",
				Usage:       "tell its sessions what they had before, and keep them there",
				ArgsUsage:   "CAMPAIGN",
				Description: "Until it is resumed, or something else is wanted for a session. New logins get what the policy says.",
				Flags:       turning,
				Action:      turnCampaign(admin.UndoCampaign),
			},
		},
	}
}

func campaignNumber(c *cli.Context) (uint64, error) {
	id, err := strconv.ParseUint(c.Args().First(), 10, 64)
	if err != nil {
		return 0, usagef("expected the number of a campaign, as in campaign list, got %q", c.Args().First())
	}
	return id, nil
}

// campaignLine is a campaign at one NAS.
type campaignLine struct {
	admin.Campaign
	admin.CampaignPart
}

func listCampaigns(d *desk) error {
	all, err := d.client.Campaigns(d.Context.Context)
	if err != nil {
		return err
	}
	var lines []campaignLine
	for _, c := range all {
		for _, p := range c.Parts {
			lines = append(lines, campaignLine{c, p})
		}
	}
	if len(lines) == 0 && d.String("output") == "table" {
		fmt.Fprintln(d.App.ErrWriter, "none")
		return nil
	}
	return listing[campaignLine]{
		columns: []string{"id", "nas", "state", "done", "left", "failed", "gone", "eta", "created", "cause", "why"},
		cells: func(l campaignLine) []string {
			return []string{strconv.FormatUint(l.ID, 10), routerName(l.NAS, l.Box), stateOf(l.CampaignPart), strconv.Itoa(l.Done), strconv.Itoa(l.Left), strconv.Itoa(l.Failed),
				strconv.Itoa(l.Gone), etaOf(l.CampaignPart), d.short(&l.Created), l.Cause, l.Why}
		},
	}.write(d.Context, each(lines))
}

// routerName names a router: a NAS, and which of its routers where it stands for
// several.
func routerName(nas, box string) string {
	if box == "" {
		return nas
	}
	return nas + " (" + printable(box) + ")"
}

func stateOf(p admin.CampaignPart) string {
	if p.Undo {
		return p.State + " (undo)"
	}
	return p.State
}

func etaOf(p admin.CampaignPart) string {
	if p.ETA == 0 {
		return ""
	}
	return (time.Duration(p.ETA) * time.Second).String()
}

func showCampaign(d *desk) error {
	id, err := campaignNumber(d.Context)
	if err != nil {
		return err
	}
	c, err := d.client.Campaign(d.Context.Context, id)
	if err != nil {
		return err
	}
	if d.String("output") == "json" {
		return writeJSON(d.App.Writer, c)
	}
	_, err = io.WriteString(d.App.Writer, d.campaign(c))
	return err
}

// barLength is how many signs a progress bar has.
const barLength = 20

func (d *desk) campaign(c admin.Campaign) string {
	var b strings.Builder
	fmt.Fprintf(&b, "campaign %d of %s: %s\n", c.ID, d.people.say(c.Created), printable(c.Cause))
	for _, p := range c.Parts {
		full := 0
		if p.Total > 0 {
			full = barLength * max(p.Total-p.Left, 0) / p.Total
		}
		fmt.Fprintf(&b, "  %-16s [%-*s] %s, %d of %d done, %d gone, %d failed, %d left", routerName(p.NAS, p.Box), barLength, strings.Repeat("#", full), stateOf(p), p.Done, p.Total, p.Gone, p.Failed, p.Left)
		if eta := etaOf(p); eta != "" {
			fmt.Fprintf(&b, ", %s to go", eta)
		}
		if p.Why != "" {
			fmt.Fprintf(&b, "\n    %s", printable(p.Why))
		}
		b.WriteByte('\n')
	}
	return b.String()
}

// placed checks the flags that say where: an empty one, as of a variable that is
// not set, must not mean everywhere.
func placed(d *desk) error {
	for _, flag := range []string{"nas", "box"} {
		if d.IsSet(flag) && d.String(flag) == "" {
			return usagef("--%s is empty: expected a name, or no --%s for all", flag, flag)
		}
	}
	if d.IsSet("box") && !d.IsSet("nas") {
		return usagef("--box says which of several routers behind a NAS entry: expected --nas, too")
	}
	return nil
}

func turnCampaign(verb string) cli.ActionFunc {
	return atDesk(func(d *desk) error {
		id, err := campaignNumber(d.Context)
		if err != nil {
			return err
		}
		if err := placed(d); err != nil {
			return err
		}
		c, err := d.client.TurnCampaign(d.Context.Context, id, verb, admin.CampaignOrder{NAS: d.String("nas"), Box: d.String("box"), Reason: d.String("reason")})
		if err != nil {
			return err
		}
		_, err = io.WriteString(d.App.Writer, d.campaign(c))
		return err
	})
}
