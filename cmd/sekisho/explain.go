package main

import (
	"fmt"
	"io"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"

	"sekisho/cmd/internal/admin"

	"github.com/mattn/go-runewidth"
	"github.com/urfave/cli/v2"
)

func explainCommand() *cli.Command {
	return &cli.Command{
		Name:        "explain",
		Usage:       "show what is decided for a login, by which rule and why the others did not win",
		ArgsUsage:   "USER",
		Description: "USER is a login, as the router sends it, or an account; then every form of its logins is answered for.",
		Flags: []cli.Flag{
			&cli.StringFlag{Name: "nas", Usage: "at this `NAS`; else at every one where the answer differs"},
			&cli.StringFlag{Name: "at", Usage: "at this `TIME` instead of now"},
			&cli.StringSliceFlag{Name: "stage", Usage: "pretend that this planned `STAGE` is in force"},
			&cli.StringSliceFlag{Name: "request", Usage: "a request attribute as `NAME=VALUE`, such as NAS-Port-Type=ISDN"},
			langFlag(),
			outputFlag("table", "json"),
		},
		Action: asking(explain),
	}
}

func explain(c *cli.Context, daemon *admin.Client) error {
	q, err := question(c)
	if err != nil {
		return err
	}
	e, err := daemon.Explain(c.Context, q)
	if err != nil {
		return err
	}
	if e.Near != "" {
		fmt.Fprintf(c.App.ErrWriter, "there is no contract of %s; did you mean %q?\n", printable(q.User), e.Near)
	}
	switch {
	case c.String("output") == "json":
		return writeJSON(c.App.Writer, e)
	case len(e.Logins) > 0:
		return explainLogins(c, daemon, q, e.Logins)
	}
	return writeExplanation(c.App.Writer, e, c.String("lang"))
}

// explainLogins answers for an account, which logs in by one of several names.
func explainLogins(c *cli.Context, daemon *admin.Client, q admin.Question, logins []string) error {
	fmt.Fprintf(c.App.ErrWriter, "%s is an account; it logs in as %s\n", printable(q.User), printable(alternatives(logins)))
	var first admin.Explanation
	for i, login := range logins {
		q.User = login
		e, err := daemon.Explain(c.Context, q)
		if err != nil {
			return err
		}
		switch {
		case i == 0:
			first, err = e, writeExplanation(c.App.Writer, e, c.String("lang"))
		case sameAnswers(first, e):
			_, err = fmt.Fprintf(c.App.Writer, "\n"+explainLanguages[c.String("lang")].same+"\n", printable(login))
		default:
			fmt.Fprintln(c.App.Writer)
			err = writeExplanation(c.App.Writer, e, c.String("lang"))
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// sameAnswers tells whether two logins get the same, for the same reason.
func sameAnswers(a, b admin.Explanation) bool {
	return slices.EqualFunc(a.Answers, b.Answers, func(x, y admin.Answer) bool {
		x.Facts, y.Facts = nil, nil // of the NAS, which says them of each login
		return reflect.DeepEqual(x, y)
	})
}

func question(c *cli.Context) (admin.Question, error) {
	q := admin.Question{User: c.Args().First(), NAS: c.String("nas"), At: c.String("at"), Stages: c.StringSlice("stage"), Request: map[string]string{}}
	for _, pair := range c.StringSlice("request") {
		name, value, ok := strings.Cut(pair, "=")
		if !ok {
			return q, usagef("--request: expected NAME=VALUE, got %q", pair)
		}
		q.Request[name] = value
	}
	return q, nil
}

// writeExplanation prints the facts with their sources, and each answer with
// the trace that the engine made.
func writeExplanation(w io.Writer, e admin.Explanation, lang string) error {
	words := explainLanguages[lang]
	var b strings.Builder
	fmt.Fprintf(&b, words.heading+"\n", printable(e.User), e.At.Format(time.RFC3339), e.Policy)
	words.facts(&b, e.Facts)
	for _, a := range e.Answers {
		words.answer(&b, a)
	}
	_, err := io.WriteString(w, b.String())
	return err
}

func (w *explainWords) facts(b *strings.Builder, facts []admin.Fact) {
	for _, f := range facts {
		name, attribute, _ := strings.Cut(f.Name, " ")
		label := w.label(name)
		if attribute != "" {
			label += " " + attribute
		}
		value := f.Value
		if value == "" {
			value = w.none
		}
		w.row(b, label, fmt.Sprintf("%s (%s)", value, w.source(f.From)))
	}
}

// row begins with a label, padded by what it takes on a screen.
func (w *explainWords) row(b *strings.Builder, label, value string) {
	fmt.Fprintf(b, "  %s %s\n", runewidth.FillRight(label, 10), value)
}

func (w *explainWords) answer(b *strings.Builder, a admin.Answer) {
	fmt.Fprintf(b, "\n"+w.at+"\n", names(a.NAS), strings.ToUpper(a.Action), a.Rule)
	w.facts(b, a.Facts)
	if why := say(a.Because, w.lang); why != "" {
		w.row(b, w.because, why)
	}
	w.row(b, w.holds, w.until(a))
	w.row(b, w.router, w.said(a))
	fmt.Fprintf(b, "  %s\n", w.asked)
	for _, step := range a.Trace {
		w.step(b, step)
	}
	for _, remedy := range a.Remedies {
		w.row(b, w.remedy, say(remedy, w.lang))
	}
}

func (w *explainWords) until(a admin.Answer) string {
	if a.Until == nil {
		return w.forever
	}
	return fmt.Sprintf(w.then, a.Until.Format(time.RFC3339), a.Next.Action, a.Next.Rule)
}

// printable keeps what somebody typed from steering the terminal.
func printable(s string) string {
	if strings.ContainsFunc(s, func(r rune) bool { return !unicode.IsPrint(r) }) {
		return strconv.Quote(s)
	}
	return s
}

// someNames is how many NASes are named where an answer holds for more.
const someNames = 5

func names(nases []string) string {
	if len(nases) <= someNames {
		return strings.Join(nases, ", ")
	}
	return fmt.Sprintf("%s, … (%d)", strings.Join(nases[:someNames], ", "), len(nases))
}

// said is what this NAS gets.
func (w *explainWords) said(a admin.Answer) string {
	text := strings.Join(a.Attributes, ", ")
	if a.Profile != "" {
		text += fmt.Sprintf(" (%s)", fmt.Sprintf(w.profile, a.Profile))
	}
	note := a.Note
	if own, ok := w.notes[note]; ok {
		note = own
	}
	return strings.TrimSpace(note + " " + strings.TrimSpace(text))
}

// step shows one override or rule that was asked; an arrow points at the one
// that decided.
func (w *explainWords) step(b *strings.Builder, s admin.Step) {
	arrow, why := "  ", w.reason(s)
	if s.Outcome == admin.Won {
		arrow = "->"
	}
	if why == "" {
		why = s.Action
	}
	outcome := s.Outcome
	if own, ok := w.outcomes[outcome]; ok {
		outcome = own
	}
	fmt.Fprintf(b, "    %s %-20s %s %s\n", arrow, strings.TrimSpace(s.Rule+" "+s.ID), runewidth.FillRight(outcome, 13), why)
}

// say picks a language, the other one where there is nothing in it.
func say(t admin.Text, lang string) string {
	if lang == "ja" && t.JA != "" || t.EN == "" {
		return t.JA
	}
	return t.EN
}
