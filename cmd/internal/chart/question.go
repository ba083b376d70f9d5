package chart

import (
	"fmt"
	"strings"

	"sekisho/engine"
)

// question is what a step asks.
func (w *writer) question(q *engine.Question) string {
	text, ok := w.questions[q.Key]
	switch {
	case q.Key == "request" && q.Name == "NAS-Port-Type":
		return fmt.Sprintf(w.lineQuestion, w.list(q.Choices[0].Values))
	case q.Key == "request":
		return fmt.Sprintf(text, q.Name, w.list(q.Choices[0].Values))
	case q.Key == "option":
		return fmt.Sprintf(text, w.list(q.Choices[0].Values))
	case !ok:
		return q.Key
	}
	return text
}

// labels are the choices of a way, each in words.
func (w *writer) labels(q *engine.Question, to engine.ChartWay) []string {
	var labels []string
	for _, c := range to.Courses {
		labels = append(labels, c.Name)
	}
	for _, c := range to.Choices {
		labels = append(labels, w.choice(q, c)...)
	}
	return labels
}

func (w *writer) choice(q *engine.Question, c engine.Choice) []string {
	switch {
	case q.Key == "option" || q.Key == "request":
		if c.Other {
			return []string{w.no}
		}
		return []string{w.yes}
	case q.Key == "form":
		return w.logins(c)
	case len(c.Values) > 0:
		return strings.Split(w.list(c.Values), w.comma)
	case q.Key == "course":
		return []string{w.otherCourse}
	}
	return []string{w.other}
}

// logins shows a form as the User-Names that have it.
func (w *writer) logins(c engine.Choice) []string {
	var labels []string
	for _, l := range w.chart.Policy.Logins {
		for _, form := range c.Values {
			if l.Form == form {
				labels = append(labels, strings.Replace(l.Match, "{account}", "ID", 1))
			}
		}
	}
	if c.Other {
		labels = append(labels, w.other)
	}
	return labels
}

// list names values in words where there are any.
func (w *writer) list(values []string) string {
	named := make([]string, len(values))
	for i, v := range values {
		named[i] = v
		if text, ok := w.values[v]; ok {
			named[i] = text
		}
	}
	return strings.Join(named, w.comma)
}
