package chart

import (
	"fmt"
	"io"
	"strings"

	"sekisho/engine"
)

// Text writes a chart as plain text; lang is ja or en.
func Text(w io.Writer, c *engine.Chart, lang string) error {
	p := compose(c, lang)
	var b strings.Builder
	fmt.Fprintf(&b, "%s\n%s\n", p.Title, p.When)
	for _, s := range p.Steps {
		fmt.Fprintf(&b, "\n%s  %s\n", s.Name, s.Question)
		for _, way := range s.Ways {
			for _, label := range way.Labels {
				fmt.Fprintf(&b, "  %s\n", label)
			}
			fmt.Fprintf(&b, "      %s %s\n", vocabulary[lang].leadsTo, way.To)
		}
	}
	for _, r := range p.Results {
		writeResult(&b, r)
	}
	fmt.Fprintf(&b, "\n%s\n", p.Note)
	_, err := io.WriteString(w, b.String())
	return err
}

func writeResult(b *strings.Builder, r result) {
	fmt.Fprintf(b, "\n%s: %s\n", r.Name, r.Verdict)
	for _, l := range r.Lines {
		fmt.Fprintf(b, "  %s: %s\n", l.Sending, l.Verdict)
	}
	for _, text := range []string{r.Because, r.Later} {
		if text != "" {
			fmt.Fprintf(b, "  %s\n", text)
		}
	}
	if len(r.Remedies) > 0 {
		fmt.Fprintf(b, "  %s\n", r.RemediesTitle)
	}
	for _, remedy := range r.Remedies {
		fmt.Fprintf(b, "    %s\n", remedy)
	}
}
