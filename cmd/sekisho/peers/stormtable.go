package main

import (
	"fmt"
	"io"
	"strings"
	"time"
)

// writeStorm writes the outcomes as a table in Markdown.
func writeStorm(w io.Writer, outcomes []outcome) error {
	var b strings.Builder
	b.WriteString("| | logins/s | expected | first second, worst after it, last | p50, p99, slowest ms | CPU µs/login | sent again | lost | wrong | MiB before, most, after |\n")
	b.WriteString("| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |\n")
	for i := range outcomes {
		o := &outcomes[i]
		fmt.Fprintf(&b, "| %s | %.0f | %s | %s | %s | %.1f | %s | %d | %d | %.0f, %.0f, %.0f |\n", o.name, o.rate(), o.expected(), o.seconds(), o.times(),
			o.cpu, o.again(), o.Lost, o.WrongInAll()+o.Rejected, o.before, o.peak, o.after)
	}
	for i := range outcomes {
		b.WriteString(outcomes[i].remark())
	}
	_, err := io.WriteString(w, b.String())
	return err
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
	switch {
	case o.WrongInAll() > 0:
		return fmt.Sprintf("\n%s: wrong: %v.\n", o.name, o.Wrong)
	case o.back:
		return fmt.Sprintf("\n%s: %.0f %% of the goodput again %v after that.\n", o.name, enough*100, o.dip.Round(time.Second/10))
	case o.died:
		return fmt.Sprintf("\n%s: goodput was not as before again.\n", o.name)
	}
	return ""
}
