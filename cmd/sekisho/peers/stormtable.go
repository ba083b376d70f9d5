package main

import (
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"
)

// writeStorm writes the outcomes as a table in Markdown, those of a scene one
// after the other, sekisho's first. Where it is not alone a column says how it
// compares.
func writeStorm(w io.Writer, outcomes []outcome, beside bool) error {
	var b strings.Builder
	columns := []string{"", "logins/s", "expected", "first second, worst after it, last", "p50, p99, slowest ms", "CPU µs/login", "sent again", "lost", "wrong", "MiB before, most, after"}
	if beside {
		columns = append(columns, "sekisho's logins/s, CPU")
	}
	writeRow(&b, columns)
	writeRow(&b, slices.Repeat([]string{"---"}, len(columns)))
	var ours *outcome
	for i := range outcomes {
		o := &outcomes[i]
		if ours == nil || ours.scene.name != o.scene.name {
			ours = o
		}
		cells := o.cells(ours)
		writeRow(&b, cells[:len(columns)])
	}
	for i := range outcomes {
		b.WriteString(outcomes[i].remark())
	}
	_, err := io.WriteString(w, b.String())
	return err
}

func writeRow(b *strings.Builder, cells []string) {
	for _, cell := range cells {
		b.WriteString("| " + cell)
		if cell != "" {
			b.WriteByte(' ')
		}
	}
	b.WriteString("|\n")
}

// cells are the row of an outcome; the last one sets it beside sekisho's.
func (o *outcome) cells(ours *outcome) []string {
	name, ratio := o.name, ""
	if o != ours {
		name = "— " + o.proxy.name
		ratio = fmt.Sprintf("%.2f times, %.2f", ours.rate()/o.rate(), ours.cpu/o.cpu)
	}
	return []string{
		name, fmt.Sprintf("%.0f", o.rate()), o.expected(), o.seconds(), o.times(), fmt.Sprintf("%.1f", o.cpu), o.again(),
		strconv.FormatUint(o.Lost, 10), strconv.FormatUint(o.WrongInAll()+o.Rejected, 10),
		fmt.Sprintf("%.0f, %.0f, %.0f", o.before, slices.Max(o.memory), o.after), ratio,
	}
}

func (o *outcome) expected() string {
	if o.should == 0 {
		return "-"
	}
	return fmt.Sprintf("%.0f: %s", o.should, o.why)
}

func (o *outcome) seconds() string {
	first, worst, last, ok := o.Pace()
	if !ok {
		return "-"
	}
	return fmt.Sprintf("%d, %d, %d", first, worst, last)
}

func (o *outcome) times() string {
	ms := func(percent float64) float64 { return float64(o.Latency.ValueAtPercentile(percent)) / 1000 }
	return fmt.Sprintf("%.1f, %.1f, %.0f", ms(50), ms(99), ms(100))
}

// again says how many logins took two sendings, three, and so on.
func (o *outcome) again() string {
	if o.Resent == 0 {
		return "0"
	}
	var words []string
	for i, n := range o.Tries[1:] {
		words = append(words, fmt.Sprintf("%d: %d", i+2, n))
	}
	return fmt.Sprintf("%d (%s)", o.Resent, strings.Join(words, ", "))
}

// remark says what no column has.
func (o *outcome) remark() string {
	var words []string
	say := func(about bool, format string, values ...any) {
		if about {
			words = append(words, fmt.Sprintf(format, values...))
		}
	}
	say(o.ended != "", "the proxy ended by itself: %s", o.ended)
	say(o.WrongInAll() > 0, "wrong: %v", o.Wrong)
	say(o.Rejected > 0, "rejected, though the AAA server rejects nobody: %d", o.Rejected)
	say(o.back, "%.0f %% of the goodput again %v after the AAA server fell silent", enough*100, o.dip.Round(time.Second/10))
	say(o.died && !o.back, "goodput was not as before again")
	if words == nil {
		return ""
	}
	return fmt.Sprintf("\n%s, %s: %s.\n", o.proxy.name, o.scene.name, strings.Join(words, "; "))
}
