package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"slices"
)

// growth is how far the memory of the last third of a run may be above that of
// the second: one fills tables and the duplicate cache, the other must not need
// more.
const growth = 1.05

// seldom is in how many requests one may be lost in all of its sendings: the first
// ones go to the server that has just died.
const seldom = 10_000

// runFlat looks whether sekisho's memory stays as it is while everything goes
// wrong that may.
func (s *settings) runFlat(ctx context.Context) error {
	if s.flat < 3*memoryStep {
		return fmt.Errorf("-flat %v: expected %v at least, three steps of %v", s.flat, 3*memoryStep, memoryStep)
	}
	peers, err := s.proxies(ctx)
	if err != nil {
		return err
	}
	sc := enduring(s.flat)
	o, err := s.act(ctx, &peers[0], &sc, users(s.contracts))
	if err != nil {
		return err
	}
	writeFlat(os.Stdout, &o)
	return o.judge()
}

// during is the memory of the time in which there was something new to send.
func (o *outcome) during() []float64 {
	return o.memory[:min(len(o.memory), int((o.Sending+memoryStep/2)/memoryStep))]
}

// thirds are the most of each third of a series of three or more.
func thirds(series []float64) (most [3]float64) {
	for i := range most {
		most[i] = slices.Max(series[len(series)*i/3 : len(series)*(i+1)/3])
	}
	return most
}

// judge says what is wrong with an outcome: with answers first, then with memory.
func (o *outcome) judge() error {
	series := o.during()
	switch {
	case o.WrongInAll()+o.Rejected > 0:
		return fmt.Errorf("%d answers rejected somebody, and %d were wrong: %v", o.Rejected, o.WrongInAll(), o.Wrong)
	case o.Lost*seldom > o.Answered():
		return fmt.Errorf("%d requests of %d were lost", o.Lost, o.Answered()+o.Lost)
	case len(series) < 3:
		return fmt.Errorf("memory was looked at in %d steps of %v: too few to tell", len(series), memoryStep)
	}
	if most := thirds(series); most[2] > growth*most[1] {
		return fmt.Errorf("memory grows: %.1f MiB at the most in the last third, %.1f in the one before", most[2], most[1])
	}
	return nil
}

// writeFlat writes what came of a long scene.
func writeFlat(w io.Writer, o *outcome) {
	sending := o.Sending.Seconds()
	fmt.Fprintf(w, "%s\n", o.name)
	fmt.Fprintf(w, "%.0f logins/s, %.0f expected; %.0f packets of accounting/s; p50, p99, slowest %s ms; sent again %s; lost %d; wrong %d; CPU %.1f µs an answer\n",
		float64(o.Accepted)/sending, o.should, float64(o.Accounted)/sending, o.times(), o.again(), o.Lost, o.WrongInAll()+o.Rejected, o.cpu)
	series := o.during()
	fmt.Fprintf(w, "own memory in MiB, before %.0f; the most of each %v:", o.before, memoryStep)
	for i, mib := range series {
		if i == len(series)/3 || i == len(series)*2/3 {
			fmt.Fprintf(w, " |")
		}
		fmt.Fprintf(w, " %.0f", mib)
	}
	fmt.Fprintf(w, "; after %.0f\n", o.after)
	if most := thirds(series); o.judge() == nil {
		fmt.Fprintf(w, "flat: the last third has %.2f of the most of the second\n", most[2]/most[1])
	}
}
