package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"golang.org/x/sys/unix"

	"sekisho/cmd/internal/load"
	"sekisho/engine"
	"sekisho/store"
)

// stage is sekisho at one scale. It is started anew for every measurement.
type stage struct {
	peer
	settings // dir is the stage's, contracts how many it has
	users    []load.User
	accounts []string // of contracts, at random
}

// sizing is what one measurement of a stage gave.
type sizing struct {
	figure
	lookup    float64 // nanoseconds of CPU for one, apart from the daemon
	first     float64 // milliseconds from the start to the first answer, none of the file in memory
	anonymous float64 // MiB of the process's own memory once it has read its file, before the logins
}

// sample is how many subscribers log in at most: enough to meet every page of
// the file.
const sample = 1_000_000

// warmUp is how long logins run before they are counted.
const warmUp = 2 * time.Second

// runScale measures sekisho with each number of contracts, and with the last but
// one of them once more by a large policy and many NASes.
func (s *settings) runScale(ctx context.Context, h *home) error {
	var stages []stage
	add := func(n int, c crowd) error {
		st, err := s.stage(ctx, h, n, c)
		stages = append(stages, st)
		return err
	}
	for _, n := range s.scale {
		if err := add(n, crowd{}); err != nil {
			return err
		}
	}
	if err := add(s.scale[max(0, len(s.scale)-2)], crowd{rules: 200, nases: 1000}); err != nil {
		return err
	}
	figures, err := s.measureStages(ctx, stages)
	if err != nil {
		return err
	}
	if n := h.refused.Load(); n > 0 {
		return fmt.Errorf("the AAA server was sent %d requests that it must refuse", n)
	}
	return writeScale(os.Stdout, stages, figures)
}

func (s *settings) measureStages(ctx context.Context, stages []stage) ([][]sizing, error) {
	figures := make([][]sizing, len(stages))
	for round := range s.rounds {
		for _, i := range rand.Perm(len(stages)) {
			f, err := stages[i].measure(ctx)
			if err != nil {
				return nil, err
			}
			figures[i] = append(figures[i], f)
			fmt.Printf("round %d: %-42s %6.0f/s %6.1f µs\n", round+1, stages[i].name, f.rate, f.cpu)
		}
	}
	return figures, nil
}

// stage makes the contracts, unless a run before has left them, and the site.
func (s *settings) stage(ctx context.Context, h *home, n int, c crowd) (st stage, err error) {
	st = stage{settings: *s}
	st.name, st.contracts, st.dir = fmt.Sprintf("%d contracts%s", n, c), n, filepath.Join(s.stores, strconv.Itoa(n))
	if err := os.MkdirAll(st.dir, 0o700); err != nil {
		return st, err
	}
	if st.port, err = freePort(); err != nil {
		return st, err
	}
	binary, err := filepath.Abs(s.sekisho)
	if err != nil {
		return st, err
	}
	site := filepath.Join(st.dir, fmt.Sprintf("site-%d-%d.yaml", c.rules, c.nases))
	if err := c.write(site, st.fill(sekishoSite, st.dir, h)); err != nil {
		return st, err
	}
	st.command = []string{binary, "serve", "-c", site}
	for range min(n, sample) {
		i := rand.IntN(n)
		st.users, st.accounts = append(st.users, user(i)), append(st.accounts, accountName(i))
	}
	return st, st.importOnce(ctx)
}

// importOnce imports the contracts; the mark stands when all are there.
func (st *stage) importOnce(ctx context.Context) error {
	mark := filepath.Join(st.dir, "filled")
	if _, err := os.Stat(mark); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	fmt.Printf("importing %d contracts into %s\n", st.contracts, st.dir)
	err := st.writeEach("contracts.csv", "account,course,address,area,segment,options,status\n", func(i int) string {
		course, option := "ADSLアッカコース(1.5M～50M超のすべて)", ""
		if exempt(i) {
			course, option = "Bフレッツベーシックコース", "fixed-ip"
		}
		return fmt.Sprintf("%s,%s,dynamic,tokyo,personal,%s,active\n", accountName(i), course, option)
	})
	if err != nil {
		return err
	}
	csv := filepath.Join(st.dir, "contracts.csv")
	if err := st.importFile(ctx, &st.peer, csv); err != nil {
		return err
	}
	return errors.Join(os.Remove(csv), os.WriteFile(mark, nil, 0o600))
}

func (st *stage) database() string { return filepath.Join(st.dir, "sekisho.db") }

func (st *stage) measure(ctx context.Context) (f sizing, err error) {
	if f.lookup, err = st.lookUp(); err != nil {
		return f, err
	}
	if err := st.forget(); err != nil {
		return f, err
	}
	began := time.Now()
	p, err := st.start(ctx, &st.peer)
	if err != nil {
		return f, err
	}
	defer p.stop()
	f.first = float64(time.Since(began).Microseconds()) / 1000
	f.anonymous = p.settle()
	f.figure, err = st.load(ctx, p, &st.peer, warmUp, st.users)
	return f, err
}

// settle waits until the daemon has read its file and made its index, which is
// when it has next to nothing to do, and tells how much memory is its own.
func (p *process) settle() (anonymous float64) {
	const second, little = time.Second, 50 * time.Millisecond
	for used := p.cpu(); ; {
		time.Sleep(second)
		now := p.cpu()
		if now-used < little {
			return p.status("RssAnon:")
		}
		used = now
	}
}

// forget has the kernel drop what it has of the file, as after a boot.
func (st *stage) forget() error {
	f, err := os.Open(st.database())
	if err != nil {
		return err
	}
	defer f.Close()
	return unix.Fadvise(int(f.Fd()), 0, 0, unix.FADV_DONTNEED)
}

// lookUp is what the look-up of a login takes in CPU, all of the file in memory
// and the index made.
func (st *stage) lookUp() (nanoseconds float64, err error) {
	ready := make(firstLine, 1)
	s, err := store.Open(st.database(), store.Options{Log: slog.New(slog.NewTextHandler(ready, nil))})
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	s.KeepWarm(math.MaxInt64)
	<-ready
	const n = 100_000
	for range 2 { // the second time counts
		began := cpuUsed()
		for i := range n {
			var f engine.Facts
			account := st.accounts[i%len(st.accounts)]
			if err := s.Subscriber(account, &f); err != nil || f.Contract == nil {
				return 0, fmt.Errorf("%s has no contract: %w", account, err)
			}
		}
		nanoseconds = float64(cpuUsed()-began) / n
	}
	return nanoseconds, nil
}

// firstLine is a log that tells when it has a line.
type firstLine chan struct{}

func (l firstLine) Write(line []byte) (int, error) {
	select {
	case l <- struct{}{}:
	default:
	}
	return len(line), nil
}

// cpuUsed is what this process has used.
func cpuUsed() time.Duration {
	var used unix.Rusage
	_ = unix.Getrusage(unix.RUSAGE_SELF, &used) // of oneself: it cannot fail
	return time.Duration(used.Utime.Nano() + used.Stime.Nano())
}
