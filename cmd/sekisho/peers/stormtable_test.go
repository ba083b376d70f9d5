package main

import (
	"strings"
	"testing"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"

	"sekisho/cmd/internal/load"
)

// report is that of so many logins, each of which took so long.
func report(took time.Duration, accepted uint64) load.Report {
	r := load.Report{Accepted: accepted, Latency: hdrhistogram.New(1, 60_000_000, 3), Took: time.Second}
	_ = r.Latency.RecordValues(took.Microseconds(), int64(accepted)) // within the range
	return r
}

func TestWriteStorm(t *testing.T) {
	t.Parallel()
	ours, other := &peer{name: "sekisho"}, &peer{name: "other"}
	quiet, storm := &scene{name: "quiet"}, &scene{name: "a storm", should: 900, why: "0.9 of the first"}
	first := outcome{scene: quiet, proxy: ours, Report: report(time.Millisecond, 1000), cpu: 10, before: 1, memory: []float64{2, 4, 3}, after: 2}
	theirs := outcome{scene: quiet, proxy: other, Report: report(4*time.Millisecond, 500), cpu: 40, before: 1, memory: []float64{1}, after: 0, ended: "signal: segmentation fault"}
	last := outcome{scene: storm, proxy: ours, Report: report(2*time.Millisecond, 950), cpu: 11, memory: []float64{9}}
	last.Resent, last.Tries = 5, []uint64{945, 5}
	tests := map[string]struct {
		outcomes []outcome
		beside   bool
		want     string
	}{
		"alone": {[]outcome{first, last}, false, `| | logins/s | expected | first second, worst after it, last | p50, p99, slowest ms | CPU µs/login | sent again | lost | wrong | MiB before, most, after |
| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |
| quiet | 1000 | - | - | 1.0, 1.0, 1 | 10.0 | 0 | 0 | 0 | 1, 4, 2 |
| a storm | 950 | 900: 0.9 of the first | - | 2.0, 2.0, 2 | 11.0 | 5 (2: 5) | 0 | 0 | 0, 9, 0 |
`},
		"beside another": {[]outcome{first, theirs, last}, true, `| | logins/s | expected | first second, worst after it, last | p50, p99, slowest ms | CPU µs/login | sent again | lost | wrong | MiB before, most, after | sekisho's logins/s, CPU |
| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |
| quiet | 1000 | - | - | 1.0, 1.0, 1 | 10.0 | 0 | 0 | 0 | 1, 4, 2 | |
| — other | 500 | - | - | 4.0, 4.0, 4 | 40.0 | 0 | 0 | 0 | 1, 1, 0 | 2.00 times, 0.25 |
| a storm | 950 | 900: 0.9 of the first | - | 2.0, 2.0, 2 | 11.0 | 5 (2: 5) | 0 | 0 | 0, 9, 0 | |

other, quiet: the proxy ended by itself: signal: segmentation fault.
`},
	}
	for name, test := range tests {
		var b strings.Builder
		if err := writeStorm(&b, test.outcomes, test.beside); err != nil || b.String() != test.want {
			t.Errorf("%s: %v\n%s\nwant\n%s", name, err, b.String(), test.want)
		}
	}
}

func TestRemark(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		outcome
		want string
	}{
		"nothing to be said":  {outcome{}, ""},
		"rejected":            {outcome{Report: load.Report{Rejected: 3}}, "rejected, though the AAA server rejects nobody: 3"},
		"wrong":               {outcome{Report: load.Report{Wrong: map[string]uint64{"wrong code": 2}}}, "wrong: map[wrong code:2]"},
		"goodput came back":   {outcome{died: true, back: true, dip: 5230 * time.Millisecond}, "90 % of the goodput again 5.2s after the AAA server fell silent"},
		"it did not":          {outcome{died: true}, "goodput was not as before again"},
		"more than one thing": {outcome{died: true, ended: "exit status 1"}, "the proxy ended by itself: exit status 1; goodput was not as before again"},
	}
	for name, test := range tests {
		test.outcome.proxy, test.scene = &peer{name: "other"}, &scene{name: "a storm"}
		want := ""
		if test.want != "" {
			want = "\nother, a storm: " + test.want + ".\n"
		}
		if got := test.remark(); got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
}
