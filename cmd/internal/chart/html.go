package chart

import (
	_ "embed"
	"html/template"
	"io"

	"sekisho/engine"
)

//go:embed page.html
var pageSource string

var pageTemplate = template.Must(template.New("chart").Parse(pageSource))

// HTML writes a chart as one page that stands alone: no script, no other file,
// readable aloud and on paper. lang is ja or en.
func HTML(w io.Writer, c *engine.Chart, lang string) error {
	return pageTemplate.Execute(w, compose(c, lang))
}
