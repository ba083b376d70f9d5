package main

import (
	"fmt"
	"io"
	"slices"
	"text/tabwriter"
)

func writeTable(w io.Writer, peers []peer, figures map[string][]figure) error {
	median := func(name string, of func(figure) float64) float64 {
		var values []float64
		for _, f := range figures[name] {
			values = append(values, of(f))
		}
		slices.Sort(values)
		return values[len(values)/2]
	}
	cpu := func(f figure) float64 { return f.cpu }
	rate := func(f figure) float64 { return f.rate }
	ours := peers[0].name
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "\nproxy\tCPU µs/login\tsekisho's share\tlogins/s\tsekisho's\tp50 µs\tp99 µs\tMiB\tlost\twrong")
	for _, p := range peers {
		var lost, bad uint64
		for _, f := range figures[p.name] {
			lost, bad = lost+f.lost, bad+f.bad
		}
		fmt.Fprintf(t, "%s\t%.1f\t%.2f\t%.0f\t%.1f times\t%.0f\t%.0f\t%.0f\t%d\t%d\n", p.name, median(p.name, cpu), median(ours, cpu)/median(p.name, cpu),
			median(p.name, rate), median(ours, rate)/median(p.name, rate), median(p.name, func(f figure) float64 { return f.p50 }),
			median(p.name, func(f figure) float64 { return f.p99 }), median(p.name, func(f figure) float64 { return f.memory }), lost, bad)
	}
	return t.Flush()
}
