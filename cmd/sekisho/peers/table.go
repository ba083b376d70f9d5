package main

import (
	"fmt"
	"io"
	"os"
	"slices"
	"text/tabwriter"
)

func writeTable(w io.Writer, peers []peer, figures map[string][]figure) error {
	median := func(name string, of func(figure) float64) float64 { return median(figures[name], of) }
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

// median is the one in the middle, of what is told of each.
func median[T any](all []T, of func(T) float64) float64 {
	values := make([]float64, len(all))
	for i, f := range all {
		values[i] = of(f)
	}
	slices.Sort(values)
	return values[len(values)/2]
}

// writeScale sets every stage beside the first.
func writeScale(w io.Writer, stages []stage, figures [][]sizing) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "\nsekisho with\tfile MB\tns/look-up\tof the first\tCPU µs/login\tof the first\tlogins/s\tp50 µs\tp99 µs\tfirst answer ms\tits own MiB\tlost\twrong")
	cpu := func(f sizing) float64 { return f.cpu }
	lookup := func(f sizing) float64 { return f.lookup }
	for i, st := range stages {
		all := figures[i]
		info, err := os.Stat(st.database())
		if err != nil {
			return err
		}
		var lost, bad uint64
		for _, f := range all {
			lost, bad = lost+f.lost, bad+f.bad
		}
		fmt.Fprintf(t, "%s\t%d\t%.0f\t%.2f\t%.1f\t%.2f\t%.0f\t%.0f\t%.0f\t%.0f\t%.0f\t%d\t%d\n", st.name, info.Size()/1e6,
			median(all, lookup), median(all, lookup)/median(figures[0], lookup), median(all, cpu), median(all, cpu)/median(figures[0], cpu),
			median(all, func(f sizing) float64 { return f.rate }), median(all, func(f sizing) float64 { return f.p50 }),
			median(all, func(f sizing) float64 { return f.p99 }), median(all, func(f sizing) float64 { return f.first }),
			median(all, func(f sizing) float64 { return f.anonymous }), lost, bad)
	}
	return t.Flush()
}
