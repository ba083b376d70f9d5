package store

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"sekisho/engine"
)

var scale = flag.Int("contracts", 100_000, "how many contracts BenchmarkContractsAtScale imports")

// BenchmarkContractsAtScale imports very many contracts, changes some, compacts
// the file, and looks accounts up as the daemon does; each in a process of its
// own, whose memory is told. Run it once: -benchtime 1x.
func BenchmarkContractsAtScale(b *testing.B) {
	for b.Loop() {
		path := filepath.Join(b.TempDir(), "s.db")
		fmt.Printf("%d contracts\n", *scale) // a log of a benchmark is cut off
		for _, phase := range []string{"import", "import of 1% changed", "grants", "compact", "grants", "daemon"} {
			c := childCommand(b, "scale", "STORE="+path, "PHASE="+phase, "N="+strconv.Itoa(*scale))
			out, err := c.Output()
			if err != nil {
				b.Fatal(phase, err)
			}
			var figures []string
			if err := json.Unmarshal(out, &figures); err != nil {
				b.Fatal(phase, err)
			}
			for _, f := range figures {
				fmt.Printf("%s: %s\n", phase, f)
			}
		}
	}
}

// atScale is the child: one phase.
func atScale() error {
	n, err := strconv.Atoi(os.Getenv("N"))
	if err != nil {
		return err
	}
	path, phase := os.Getenv("STORE"), os.Getenv("PHASE")
	var figures []string
	switch phase {
	case "compact":
		figures, err = measureCompact(path, n)
	case "grants":
		figures, err = measureGrants(path, n)
	case "daemon":
		figures, err = measureLookups(path, n)
	default:
		figures, err = measureImport(path, n, phase != "import")
	}
	if err != nil {
		return err
	}
	return json.NewEncoder(os.Stdout).Encode(figures)
}

func measureImport(path string, n int, changed bool) ([]string, error) {
	began := time.Now()
	s, err := Open(path, Options{})
	if err != nil {
		return nil, err
	}
	opened := time.Since(began)
	stop := make(chan struct{})
	var beside sync.WaitGroup
	var grants, lookups []time.Duration
	var peak [2]uint64
	var failed [2]error
	beside.Go(func() { grants, failed[0] = repeat(stop, func(i int) error { return grantOne(s, n, i) }) })
	beside.Go(func() {
		lookups, failed[1] = repeat(stop, func(int) error {
			peak = [2]uint64{max(peak[0], status("RssAnon")), max(peak[1], status("RssFile"))}
			var f engine.Facts
			return s.Subscriber(account(rand.IntN(n)), &f)
		})
	})
	began = time.Now()
	report, err := s.ImportContractsFile(context.Background(), tester, "scale.csv", generate(n, changed), ImportOptions{Replace: true})
	took := time.Since(began)
	close(stop)
	beside.Wait()
	if err := errors.Join(err, failed[0], failed[1], s.Close()); err != nil {
		return nil, err
	}
	size, _, err := sizes(path, path)
	return []string{
		fmt.Sprintf("opened in %v", opened.Round(time.Microsecond)),
		fmt.Sprintf("%+v in %.1f s, %.0f rows/s", report, took.Seconds(), float64(n)/took.Seconds()),
		fmt.Sprintf("%d bytes on disk, %d for each contract", size, size/int64(n)),
		fmt.Sprintf("peak of memory: %d MB of its own, %d MB of the file's pages", peak[0]>>10, peak[1]>>10),
		"grants beside it, one every 20 ms: " + percentiles(grants),
		"look-ups beside it, one every 20 ms: " + percentiles(lookups),
	}, err
}

// repeat does something every 20 ms and tells how long it took.
func repeat(stop <-chan struct{}, do func(i int) error) (took []time.Duration, err error) {
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for i := 0; ; i++ {
		select {
		case <-stop:
			return took, nil
		case <-tick.C:
		}
		began := time.Now()
		if err := do(i); err != nil {
			return took, err
		}
		took = append(took, time.Since(began))
	}
}

func grantOne(s *Store, n, i int) error {
	_, _, err := s.AddOverride(tester, Override{Account: account(rand.IntN(n)), Kind: Grant, Action: "open", Reason: "r" + strconv.Itoa(i)})
	return err
}

// measureGrants tells what a change costs, also where half of the file is free
// pages: bbolt writes a list of them with every transaction.
func measureGrants(path string, n int) ([]string, error) {
	s, err := Open(path, Options{})
	if err != nil {
		return nil, err
	}
	defer s.Close()
	took := make([]time.Duration, 1000)
	for i := range took {
		began := time.Now()
		if err := grantOne(s, n, i); err != nil {
			return nil, err
		}
		took[i] = time.Since(began)
	}
	return []string{"one after another: " + percentiles(took)}, nil
}

func measureCompact(path string, n int) ([]string, error) {
	began := time.Now()
	before, after, err := Compact(path, Options{})
	return []string{fmt.Sprintf("from %d to %d bytes, %d for each contract, in %.1f s, checked", before, after, after/int64(n), time.Since(began).Seconds())}, err
}

func measureLookups(path string, n int) ([]string, error) {
	began := time.Now()
	s, err := Open(path, Options{})
	if err != nil {
		return nil, err
	}
	defer s.Close()
	figures := []string{"opened in " + time.Since(began).Round(time.Microsecond).String(), memory("after opening")}
	for _, pass := range []string{"first", "second"} {
		took := make([]time.Duration, 500_000)
		for i := range took {
			name := account(rand.IntN(n))
			var f engine.Facts
			began := time.Now()
			if err := s.Subscriber(name, &f); err != nil || f.Contract == nil {
				return nil, fmt.Errorf("%s: %+v, %w", name, f, err)
			}
			took[i] = time.Since(began)
		}
		figures = append(figures, pass+" look-ups at random: "+percentiles(took), memory("after them"))
	}
	return figures, nil
}

func percentiles(took []time.Duration) string {
	if len(took) == 0 {
		return "none"
	}
	slices.Sort(took)
	var b strings.Builder
	fmt.Fprintf(&b, "%d", len(took))
	for _, p := range []float64{50, 99, 99.9, 100} {
		at := took[min(int(float64(len(took))*p/100), len(took)-1)]
		fmt.Fprintf(&b, ", %g%% within %v", p, at.Round(100*time.Nanosecond))
	}
	return b.String()
}

func account(i int) string { return fmt.Sprintf("u%08dab@atson.net", i) }

// generate is a CSV file of n contracts like those of an ISP, in an order that
// is not the keys'; of those that are changed one in a hundred is.
func generate(n int, changed bool) io.Reader {
	r, w := io.Pipe()
	go func() {
		out := bufio.NewWriterSize(w, 1<<20)
		_, err := out.WriteString("account,course,address,area,segment,options,status\n")
		for i := 0; i < n && err == nil; i++ {
			course := "Bフレッツファミリー"
			if changed && i%100 == 0 {
				course = "ADSLトーカー"
			}
			_, err = fmt.Fprintf(out, "%s,%s,dynamic,tokyo,personal,fixed-ip,active\n", account(i*7919%n), course)
		}
		w.CloseWithError(errors.Join(err, out.Flush()))
	}()
	return r
}

// status reads a number of this process from the kernel, in kB.
func status(key string) uint64 {
	text, _ := os.ReadFile("/proc/self/status")
	_, after, _ := strings.Cut(string(text), key+":")
	var n uint64
	_, _ = fmt.Sscan(after, &n)
	return n
}

func memory(when string) string {
	return fmt.Sprintf("resident %s: %d MB of its own, %d MB of the file's pages", when, status("RssAnon")>>10, status("RssFile")>>10)
}
