package main

import (
	"fmt"
	"io"
	"strings"
	"time"

	"sekisho/cmd/internal/admin"

	"github.com/urfave/cli/v2"
)

func explainCommand() *cli.Command {
	return &cli.Command{
		Name:      "explain",
		Usage:     "show what is decided for a login, by which rule and why the others did not win",
		ArgsUsage: "USER",
		Flags: []cli.Flag{
			&cli.StringFlag{Name: "nas", Usage: "at this `NAS`; else at every one where the answer differs"},
			&cli.StringFlag{Name: "at", Usage: "at this `TIME` instead of now"},
			&cli.StringSliceFlag{Name: "stage", Usage: "pretend that this planned `STAGE` is in force"},
			&cli.StringSliceFlag{Name: "request", Usage: "a request attribute as `NAME=VALUE`, such as NAS-Port-Type=ISDN"},
			&cli.StringFlag{Name: "lang", Usage: "language of reasons and remedies, ja or en", Value: "en", EnvVars: []string{"SEKISHO_LANG"}},
			outputFlag("table", "json"),
		},
		Action: explain,
	}
}

func explain(c *cli.Context) error {
	q, err := question(c)
	if err != nil {
		return err
	}
	e, err := admin.Dial(c.String("socket")).Explain(c.Context, q)
	if err != nil {
		return err
	}
	if c.String("output") == "json" {
		return writeJSON(c.App.Writer, e)
	}
	return writeExplanation(c.App.Writer, e, c.String("lang"))
}

func question(c *cli.Context) (admin.Question, error) {
	q := admin.Question{User: c.Args().First(), NAS: c.String("nas"), At: c.String("at"), Stages: c.StringSlice("stage"), Request: map[string]string{}}
	if c.NArg() != 1 {
		return q, usagef("explain: expected one login such as f.uf234at567c@atson.net")
	}
	if lang := c.String("lang"); lang != "ja" && lang != "en" {
		return q, usagef("--lang: expected ja or en, got %q", lang)
	}
	for _, pair := range c.StringSlice("request") {
		name, value, ok := strings.Cut(pair, "=")
		if !ok {
			return q, usagef("--request: expected NAME=VALUE, got %q", pair)
		}
		q.Request[name] = value
	}
	return q, nil
}

func writeExplanation(w io.Writer, e admin.Explanation, lang string) error {
	var b strings.Builder
	fmt.Fprintf(&b, "%s at %s by policy %s\n", e.User, e.At.Format(time.RFC3339), e.Policy)
	if e.Account == "" {
		b.WriteString("  login     read by no pattern of the policy: no account, and so no contract\n")
	} else {
		fmt.Fprintf(&b, "  login     account %s, realm %s, form %s\n", e.Account, e.Realm, e.Form)
	}
	writeContract(&b, e)
	for _, a := range e.Answers {
		writeAnswer(&b, a, lang)
	}
	_, err := io.WriteString(w, b.String())
	return err
}

func writeContract(b *strings.Builder, e admin.Explanation) {
	if e.Contract == nil {
		b.WriteString("  contract  none known\n")
		return
	}
	fmt.Fprintf(b, "  contract  course %s", e.Contract.Course)
	if e.Course == "" {
		b.WriteString(" (not named by the policy)")
	}
	if e.Contract.Address != "" {
		fmt.Fprintf(b, ", address %s", e.Contract.Address)
	}
	if len(e.Contract.Options) > 0 {
		fmt.Fprintf(b, ", options %s", strings.Join(e.Contract.Options, " "))
	}
	b.WriteByte('\n')
}

func writeAnswer(b *strings.Builder, a admin.Answer, lang string) {
	fmt.Fprintf(b, "\nat NAS %s", strings.Join(a.NAS, ", "))
	if a.Area != "" {
		fmt.Fprintf(b, " (area %s)", a.Area)
	}
	fmt.Fprintf(b, ": %s by %s\n", strings.ToUpper(a.Action), a.Rule)
	if why := say(a.Because, lang); why != "" {
		fmt.Fprintf(b, "  because   %s\n", why)
	}
	fmt.Fprintf(b, "  holds     %s\n", holds(a))
	fmt.Fprintf(b, "  router    %s\n", router(a))
	b.WriteString("  asked\n")
	for _, step := range a.Trace {
		writeStep(b, step)
	}
	for _, remedy := range a.Remedies {
		fmt.Fprintf(b, "  remedy    %s\n", say(remedy, lang))
	}
}

func holds(a admin.Answer) string {
	if a.Until == nil {
		return "for as long as these facts stay"
	}
	return fmt.Sprintf("until %s, then %s by %s", a.Until.Format(time.RFC3339), a.Next.Action, a.Next.Rule)
}

func router(a admin.Answer) string {
	text := strings.Join(a.Attributes, ", ")
	if a.Profile != "" {
		text += " (profile " + a.Profile + ")"
	}
	return strings.TrimSpace(a.Note + " " + text)
}

// writeStep shows one override or rule that was asked; an arrow points at the
// one that decided.
func writeStep(b *strings.Builder, s admin.Step) {
	arrow, why := "  ", s.Reason
	if s.Outcome == admin.Won {
		arrow = "->"
	}
	if why == "" {
		why = s.Action
	}
	fmt.Fprintf(b, "    %s %-20s %-13s %s\n", arrow, strings.TrimSpace(s.Rule+" "+s.ID), s.Outcome, why)
}

// say picks a language, the other one where there is nothing in it.
func say(t admin.Text, lang string) string {
	if lang == "ja" && t.JA != "" || t.EN == "" {
		return t.JA
	}
	return t.EN
}
