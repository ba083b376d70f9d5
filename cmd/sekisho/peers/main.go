// Command peers measures sekisho beside FreeRADIUS and radsecproxy, as Debian
// has them, at the same job: take logins, ask an AAA server, set the Filter-Id
// of whoever is to be filtered, and verify Message-Authenticators on both sides.
// It prints one table; figures hold against the others of the same table only,
// since router and AAA server share the machine. Everything is on loopback.
//
//	go run ./cmd/sekisho/peers -sekisho bin/sekisho
//
// With -scale it measures sekisho beside itself with fewer and more contracts,
// with -storm under loads that proxies break down under, beside the others with
// -peers, and with -flat it looks for how long its memory grows.
package main

import (
	"cmp"
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// settings are those of the command line.
type settings struct {
	sekisho   string
	contracts int
	rounds    int
	window    int
	duration  time.Duration
	dir       string // for the files of the run; taken away at the end
	scale     sizes
	storm     bool
	beside    bool          // the peers take part in storm, too
	flat      time.Duration // for how long memory is looked at; 0: it is not
	stores    string        // where those of scale are kept; empty: in dir
}

// sizes are numbers of contracts, as 1000,1000000.
type sizes []int

func (s *sizes) String() string { return fmt.Sprint(*s) }

func (s *sizes) Set(text string) error {
	for word := range strings.SplitSeq(text, ",") {
		n, err := strconv.Atoi(word)
		if err != nil || n < 1 {
			return fmt.Errorf("expected numbers of contracts such as 1000,1000000, got %q", word)
		}
		*s = append(*s, n)
	}
	return nil
}

func main() {
	s := settings{}
	flag.StringVar(&s.sekisho, "sekisho", "bin/sekisho", "the binary to measure")
	flag.IntVar(&s.contracts, "contracts", 1_000_000, "subscribers")
	flag.IntVar(&s.rounds, "rounds", 5, "rounds over all of them; the table has the medians")
	flag.IntVar(&s.window, "window", 128, "logins under way at once")
	flag.DurationVar(&s.duration, "duration", 4*time.Second, "of each measurement")
	flag.Var(&s.scale, "scale", "sekisho alone, with each of these `NUMBERS` of contracts")
	flag.StringVar(&s.stores, "stores", "", "`DIRECTORY` to keep the contracts of -scale in, for another run")
	flag.BoolVar(&s.storm, "storm", false, "sekisho alone, when everybody logs in at once and when packets and AAA servers fail")
	flag.BoolVar(&s.beside, "peers", false, "with -storm, the others as well")
	flag.DurationVar(&s.flat, "flat", 0, "sekisho alone, whether its memory stays as it is in so `LONG` a time of hardship; 6m or more")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := s.run(ctx); err != nil {
		fmt.Fprintln(os.Stderr, "peers:", err)
		os.Exit(1)
	}
}

func (s *settings) run(ctx context.Context) (err error) {
	if s.dir, err = os.MkdirTemp("", "sekisho-peers-"); err != nil {
		return err
	}
	defer os.RemoveAll(s.dir)
	switch {
	case s.storm:
		return s.runStorm(ctx)
	case s.flat > 0:
		return s.runFlat(ctx)
	}
	home, err := startHome(manners{})
	if err != nil {
		return err
	}
	defer home.close()
	if len(s.scale) > 0 {
		if s.stores, err = filepath.Abs(cmp.Or(s.stores, s.dir)); err != nil {
			return err
		}
		fmt.Printf("%d logins under way, %d rounds of %v\n", s.window, s.rounds, s.duration)
		return s.runScale(ctx, home)
	}
	fmt.Printf("%d subscribers, %d logins under way, %d rounds of %v\n", s.contracts, s.window, s.rounds, s.duration)
	peers, err := s.peers()
	if err != nil {
		return err
	}
	if err := s.prepare(ctx, peers, home); err != nil {
		return err
	}
	figures, err := s.measureAll(ctx, peers, home)
	if err != nil {
		return err
	}
	return writeTable(os.Stdout, peers, figures)
}
