package main

import (
	"strings"
	"testing"
	"time"

	"sekisho/cmd/internal/load"
)

func TestJudge(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		memory []float64
		report load.Report
		want   string // part of the error; empty: none
	}{
		"as it was":                                {[]float64{10, 50, 100, 100, 100, 100}, load.Report{}, ""},
		"it fills in the first third only":         {[]float64{10, 100, 100, 60, 60, 60}, load.Report{}, ""},
		"a twentieth more":                         {[]float64{10, 10, 100, 80, 105, 90}, load.Report{}, ""},
		"more than that, once":                     {[]float64{10, 10, 100, 80, 106, 90}, load.Report{}, "106.0 MiB at the most in the last third, 100.0"},
		"more than the second, less than before":   {[]float64{200, 200, 100, 100, 120, 120}, load.Report{}, "memory grows"},
		"what comes after the sending is left out": {[]float64{10, 100, 100, 100, 100, 100, 900}, load.Report{}, ""},
		"too short":                                {[]float64{10, 10}, load.Report{}, "2 steps"},
		"a wrong answer":                           {[]float64{1, 1, 1}, load.Report{Wrong: map[string]uint64{"wrong code": 1}}, "1 were wrong: map[wrong code:1]"},
		"somebody is rejected":                     {[]float64{1, 1, 1}, load.Report{Rejected: 2}, "2 answers rejected"},
		"one lost in twenty thousand":              {[]float64{1, 1, 1}, load.Report{Accepted: 15_000, Accounted: 4_999, Lost: 1}, ""},
		"one lost in less than ten thousand":       {[]float64{1, 1, 9}, load.Report{Accepted: 5_000, Accounted: 4_999, Lost: 1}, "1 requests of 10000 were lost"},
	}
	for name, test := range tests {
		o := &outcome{memory: test.memory, Report: test.report}
		o.Sending = time.Minute
		err := o.judge()
		if (err == nil) != (test.want == "") || err != nil && !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: %v, want %q", name, err, test.want)
		}
	}
}

func TestThirds(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		series []float64
		want   [3]float64
	}{
		"three":                   {[]float64{1, 2, 3}, [3]float64{1, 2, 3}},
		"four":                    {[]float64{1, 2, 3, 4}, [3]float64{1, 2, 4}},
		"five":                    {[]float64{1, 2, 3, 4, 5}, [3]float64{1, 3, 5}},
		"the most is not at ends": {[]float64{1, 9, 1, 1, 8, 1, 1, 7, 1}, [3]float64{9, 8, 7}},
	}
	for name, test := range tests {
		if got := thirds(test.series); got != test.want {
			t.Errorf("%s: %v, want %v", name, got, test.want)
		}
	}
}

func TestHighest(t *testing.T) {
	t.Parallel()
	var series []float64
	for _, v := range []struct {
		step int
		mib  float64
	}{{0, 3}, {0, 5}, {0, 4}, {2, 1}, {3, 2}} { // nobody looked in step 1
		series = highest(series, v.step, v.mib)
	}
	if want := []float64{5, 0, 1, 2}; len(series) != 4 || [4]float64(series) != [4]float64(want) {
		t.Errorf("%v, want %v", series, want)
	}
}

func TestWriteFlat(t *testing.T) {
	t.Parallel()
	o := &outcome{scene: &scene{name: "half a minute", should: 4616}, cpu: 12.34, before: 20, after: 101, memory: []float64{50, 99.6, 102, 500}}
	o.Report = report(time.Millisecond, 3000)
	o.Sending, o.Accounted = 30*time.Second, 6000
	var b strings.Builder
	writeFlat(&b, o)
	const want = `half a minute
100 logins/s, 4616 expected; 200 packets of accounting/s; p50, p99, slowest 1.0, 1.0, 1 ms; sent again 0; lost 0; wrong 0; CPU 12.3 µs an answer
own memory in MiB, before 20; the most of each 10s: 50 | 100 | 102; after 101
flat: the last third has 1.02 of the most of the second
`
	if b.String() != want {
		t.Errorf("got\n%s\nwant\n%s", b.String(), want)
	}
}
