// Package chart writes the questionnaire by which subscribers find out whether a
// policy concerns them, in Japanese or English, as plain text or as one page of
// HTML. What is asked and what comes out, engine.Chart knows; here are only the
// words.
package chart

import (
	"fmt"
	"strings"
	"time"

	"sekisho/engine"
)

// page is a chart in the words of one language.
type page struct {
	Lang, Title, When string
	Note              string // for people who connect through others
	Steps             []step
	ResultsTitle      string
	Results           []result
}

type step struct {
	ID, Name, Question string
	Ways               []way
}

// way is some choices, one of which suffices, and where they lead.
type way struct {
	Labels []string
	To     string // words
	Link   string // the id of a step or result; empty where the chart ends at once
}

type result struct {
	ID, Name, Verdict string
	Lines             []line // for each way to send that matters
	Because, Later    string
	RemediesTitle     string
	Remedies          []string
}

type line struct{ Sending, Verdict string }

// Languages are those that Text and HTML know.
func Languages() []string { return []string{"ja", "en"} }

// writer puts a chart into words.
type writer struct {
	*words
	chart *engine.Chart
	lang  string
}

func compose(c *engine.Chart, lang string) page {
	w := &writer{words: vocabulary[lang], chart: c, lang: lang}
	p := page{
		Lang:         lang,
		Title:        fmt.Sprintf(w.title, c.Policy.Name),
		When:         fmt.Sprintf(w.when, w.time(c.At)),
		Note:         w.note,
		Steps:        []step{w.first()},
		ResultsTitle: w.results,
	}
	for i, s := range c.Steps {
		p.Steps = append(p.Steps, w.step(i, s))
	}
	for i, r := range c.Results {
		p.Results = append(p.Results, w.result(i, r))
	}
	return p
}

// first asks how mail is sent. Whoever is hindered in no case is sent home.
func (w *writer) first() step {
	s := step{ID: "step-1", Name: fmt.Sprintf(w.stepName, 1), Question: w.sendingQuestion}
	for i, sending := range w.chart.Sending {
		one := way{Labels: []string{letter(i) + w.sending(sending)}}
		if !w.chart.Matters(sending) {
			one.To = w.unaffectedEnd
		} else if next, ok := w.chart.First(); ok {
			one.To, one.Link = w.toStep(next)
		} else {
			one.To, one.Link = w.toResult(0)
		}
		s.Ways = append(s.Ways, one)
	}
	return s
}

func letter(i int) string { return fmt.Sprintf("(%c) ", 'a'+i) }

func (w *writer) sending(s engine.Sending) string {
	switch {
	case s.OtherPort:
		return w.otherPort
	case len(s.Hosts) > 0:
		return fmt.Sprintf(w.ownServer, strings.Join(s.Hosts, w.comma))
	}
	return w.otherServer
}

func (w *writer) toStep(i int) (to, link string) {
	return fmt.Sprintf(w.stepName, i+2), fmt.Sprintf("step-%d", i+2)
}

func (w *writer) toResult(i int) (to, link string) {
	return w.named(i) + ": " + w.verdict(w.chart.Results[i]), "result-" + strings.ToLower(mark(i))
}

func (w *writer) named(result int) string { return fmt.Sprintf(w.resultName, mark(result)) }

// mark counts A to Z, A1 to Z1 and so on.
func mark(i int) string {
	letter := string(rune('A' + i%26))
	if i < 26 {
		return letter
	}
	return fmt.Sprint(letter, i/26)
}

func (w *writer) step(i int, s engine.ChartStep) step {
	name, id := w.toStep(i)
	one := step{ID: id, Name: name, Question: w.question(s.Question)}
	for _, to := range s.Ways {
		next := way{Labels: w.labels(s.Question, to)}
		if n, ok := to.Step(); ok {
			next.To, next.Link = w.toStep(n)
		} else {
			n, _ := to.Result()
			next.To, next.Link = w.toResult(n)
		}
		one.Ways = append(one.Ways, next)
	}
	return one
}

func (w *writer) result(i int, r engine.ChartResult) result {
	_, id := w.toResult(i)
	one := result{ID: id, Name: w.named(i), Verdict: w.verdict(r), RemediesTitle: w.remedies}
	if w.verdict(r) == w.affected {
		one.Lines = w.lines(r)
	}
	rule, _ := w.chart.Policy.Rule(r.Rule)
	one.Because = w.say(rule.Because)
	if !r.Until.IsZero() && r.Next.Action != r.Action {
		one.Later = fmt.Sprintf(w.later, w.time(r.Until), w.then(r))
		if rule.Remedies == nil {
			rule, _ = w.chart.Policy.Rule(r.Next.Rule)
		}
	}
	for _, remedy := range w.chart.Policy.Remedies {
		for _, name := range rule.Remedies {
			if name == remedy.Name {
				one.Remedies = append(one.Remedies, w.say(remedy.Text))
			}
		}
	}
	return one
}

// verdict is short: is anybody hindered who came here.
func (w *writer) verdict(r engine.ChartResult) string {
	for _, s := range w.chart.Sending {
		if w.chart.Affected(s, r) {
			return w.affected
		}
	}
	return w.unaffected
}

// then says what will be other than it is now.
func (w *writer) then(r engine.ChartResult) string {
	next := engine.ChartResult{Decision: r.Next}
	if w.verdict(next) == w.unaffected {
		return w.unaffected
	}
	now := w.lines(r)
	var changed []string
	for i, l := range w.lines(next) {
		if l != now[i] {
			changed = append(changed, l.Sending+": "+l.Verdict)
		}
	}
	return strings.Join(changed, " / ")
}

func (w *writer) lines(r engine.ChartResult) []line {
	var all []line
	for i, s := range w.chart.Sending {
		switch {
		case !w.chart.Matters(s):
		case w.chart.Affected(s, r):
			all = append(all, line{letter(i) + w.sending(s), w.hindered(r.Action)})
		default:
			all = append(all, line{letter(i) + w.sending(s), w.unaffected})
		}
	}
	return all
}

// hindered says what an action does; operators' own actions go by their names.
func (w *writer) hindered(action string) string {
	if text, ok := w.actions[action]; ok {
		return text
	}
	return fmt.Sprintf(w.otherAction, action)
}

func (w *writer) say(t engine.Text) string {
	if w.lang == "ja" && t.JA != "" || t.EN == "" {
		return t.JA
	}
	return t.EN
}

func (w *writer) time(t time.Time) string {
	return t.In(w.chart.Policy.Location).Format("2006-01-02 15:04 MST")
}
