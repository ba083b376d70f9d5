package main

import (
	"context"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"sekisho/cmd/internal/load"
)

// What routers do after a power cut: all identifiers of their sockets are in
// use, and what is not answered in time is sent again.
const (
	stormSockets = 32
	stormWindow  = stormSockets * 256
	stormTimeout = 3 * time.Second
	stormTries   = 5
)

// outcome is what a scene came to.
type outcome struct {
	*scene
	load.Report
	cpu                 float64 // microseconds of the proxy's for one login
	before, peak, after float64 // MiB of the proxy's own memory
	dip                 time.Duration
	died, back          bool // the first AAA server fell silent; goodput was as before again, after dip
}

// runStorm measures sekisho in all scenes; they are set by the first of them.
func (s *settings) runStorm(ctx context.Context) error {
	p := &peer{name: "sekisho"}
	binary, err := filepath.Abs(s.sekisho)
	if err != nil {
		return err
	}
	p.command = []string{binary, "serve", "-c", filepath.Join(s.dir, "sekisho.yaml")}
	if p.port, err = freePort(); err != nil {
		return err
	}
	all := users(s.contracts)
	reference := saturation(s.window, s.duration)
	first, err := s.act(ctx, p, &reference, all, true)
	if err != nil {
		return err
	}
	outcomes := []outcome{first}
	for _, sc := range scenes(first.rate(), s.duration) {
		o, err := s.act(ctx, p, &sc, all, false)
		if err != nil {
			return err
		}
		outcomes = append(outcomes, o)
	}
	return writeStorm(os.Stdout, outcomes)
}

// act plays a scene at a proxy that is started for it, the first time with an
// empty store.
func (s *settings) act(ctx context.Context, p *peer, sc *scene, all []load.User, empty bool) (outcome, error) {
	fmt.Fprintf(os.Stderr, "%s: %s\n", time.Now().Format(time.TimeOnly), sc.name)
	h, err := startHome(sc.home)
	if err != nil {
		return outcome{}, err
	}
	defer h.close()
	site := strings.NewReplacer("DIR", s.dir, "PORT", strconv.Itoa(int(p.port)), "NAS", nasSecret, "AAA", homeSecret,
		"HOME0", strconv.Itoa(int(h.port(0))), "HOME1", strconv.Itoa(int(h.port(1)))).Replace(sc.site())
	if err := os.WriteFile(filepath.Join(s.dir, "sekisho.yaml"), []byte(site), 0o600); err != nil {
		return outcome{}, err
	}
	if empty {
		if err := s.importContracts(ctx, p); err != nil {
			return outcome{}, err
		}
	}
	o, err := s.watch(ctx, p, sc, h, all)
	if n := h.refused.Load(); err == nil && n > 0 {
		err = fmt.Errorf("%s: the AAA server was sent %d requests that it must refuse", sc.name, n)
	}
	return o, err
}

// warming is how long logins run before anything is measured, and settling how
// long a proxy is left alone before its memory is looked at again.
const (
	warming  = time.Second
	settling = 3 * time.Second
)

// watch starts a proxy, plays the scene, and measures.
func (s *settings) watch(ctx context.Context, p *peer, sc *scene, h *home, all []load.User) (o outcome, err error) {
	o.scene = sc
	running, err := s.start(ctx, p)
	if err != nil {
		return o, err
	}
	defer running.stop()
	if _, err := load.Run(ctx, s.options(p, s.window, warming, time.Second, all), nil); err != nil {
		return o, err
	}
	o.before = running.status("RssAnon:")
	peak := running.peak()
	used, began := running.cpu(), time.Now()
	o.Report, err = sc.play(ctx, netip.AddrPortFrom(netip.AddrFrom4([4]byte{127, 0, 0, 1}), p.port), h, all)
	if err != nil || o.Answered() == 0 {
		return o, fmt.Errorf("%s: no answers: %w", sc.name, err)
	}
	o.cpu = float64((running.cpu() - used).Microseconds()) / float64(o.Answered())
	time.Sleep(settling)
	o.peak, o.after = peak(), running.status("RssAnon:")
	if silent := h.silent.Load(); silent != nil {
		o.died = true
		o.dip, o.back = recovery(&o.Report, silent.Sub(began))
	}
	return o, nil
}

// peak looks at the memory of a process ten times a second; what it returns
// ends that and tells the most.
func (p *process) peak() (end func() float64) {
	var most float64
	stop, stopped := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(stopped)
		for tick := time.NewTicker(100 * time.Millisecond); ; {
			most = max(most, p.status("RssAnon:"))
			select {
			case <-stop:
				tick.Stop()
				return
			case <-tick.C:
			}
		}
	}()
	return func() float64 {
		close(stop)
		<-stopped
		return most
	}
}

// rate is answers a second, in the whole seconds in which there was something new
// to send.
func (o *outcome) rate() float64 {
	whole := min(int(o.Sending/time.Second), len(o.Goodput))
	if whole == 0 {
		return float64(o.Answered()) / o.Took.Seconds()
	}
	return mean(o.Goodput[:whole])
}

func mean(each []uint64) float64 {
	var n uint64
	for _, of := range each {
		n += of
	}
	return float64(n) / float64(len(each))
}

// enough is the part of the goodput that must not be lost.
const enough = 0.9

// recovery is how long after an instant of the run goodput was as before it
// again, to a second.
func recovery(r *load.Report, from time.Duration) (time.Duration, bool) {
	broke := int(from / time.Second)
	if broke <= 0 || broke >= len(r.Goodput) {
		return 0, false
	}
	want := enough * mean(r.Goodput[:broke])
	for i := broke + 1; i < min(len(r.Goodput), int(r.Sending/time.Second)); i++ {
		if float64(r.Goodput[i]) >= want {
			return time.Duration(i)*time.Second - from, true
		}
	}
	return 0, false
}
