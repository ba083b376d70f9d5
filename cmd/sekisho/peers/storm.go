package main

import (
	"context"
	"fmt"
	"os"
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
	proxy *peer
	load.Report
	cpu        float64   // microseconds of the proxy's for one login
	before     float64   // MiB of the proxy's own memory when the scene began
	memory     []float64 // the most of that in each memoryStep
	after      float64   // when it had been left alone for a while
	dip        time.Duration
	died, back bool   // the first AAA server fell silent; goodput was as before again, after dip
	ended      string // how the proxy did, by itself; empty: it did not
}

// runStorm measures sekisho in all scenes; they are set by the first of them.
func (s *settings) runStorm(ctx context.Context) error {
	peers, err := s.proxies(ctx)
	if err != nil {
		return err
	}
	all := users(s.contracts)
	firsts, err := s.each(ctx, peers, all, func(int) *scene { return new(saturation(s.window, s.duration)) })
	if err != nil {
		return err
	}
	outcomes := firsts
	for k := range scenes(1, 1, s.duration) {
		these, err := s.each(ctx, peers, all, func(i int) *scene { return &scenes(firsts[0].rate(), firsts[i].rate(), s.duration)[k] })
		if err != nil {
			return err
		}
		outcomes = append(outcomes, these...)
	}
	return writeStorm(os.Stdout, outcomes, s.beside)
}

// proxies are sekisho and, if asked for, the others, with their subscribers.
func (s *settings) proxies(ctx context.Context) ([]peer, error) {
	peers, err := s.peers()
	if err != nil {
		return nil, err
	}
	if !s.beside {
		peers = peers[:1]
	}
	h, err := startHome(manners{})
	if err != nil {
		return nil, err
	}
	defer h.close()
	return peers, s.prepare(ctx, peers, h)
}

// each plays a scene at one proxy after the other.
func (s *settings) each(ctx context.Context, peers []peer, all []load.User, of func(i int) *scene) (outcomes []outcome, err error) {
	for i := range peers {
		sc := of(i)
		if sc.alone && i > 0 {
			break
		}
		o, err := s.act(ctx, &peers[i], sc, all)
		if err != nil {
			return nil, err
		}
		outcomes = append(outcomes, o)
	}
	return outcomes, nil
}

// act plays a scene at a proxy that is started for it.
func (s *settings) act(ctx context.Context, p *peer, sc *scene, all []load.User) (outcome, error) {
	fmt.Fprintf(os.Stderr, "%s: %s: %s\n", time.Now().Format(time.TimeOnly), p.name, sc.name)
	h, err := startHome(sc.home)
	if err != nil {
		return outcome{}, err
	}
	defer h.close()
	if err := p.configure(sc.text(p), s.dir, h); err != nil {
		return outcome{}, err
	}
	o, err := s.watch(ctx, p, sc, h, all)
	if n := h.refused.Load(); err == nil && n > 0 {
		err = fmt.Errorf("%s: %s: the AAA server was sent %d requests that it must refuse", p.name, sc.name, n)
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
	o.scene, o.proxy = sc, p
	running, err := s.start(ctx, p)
	if err != nil {
		return o, err
	}
	defer running.stop()
	if _, err := load.Run(ctx, s.options(p, s.window, warming, time.Second, all), nil); err != nil {
		return o, err
	}
	o.before = running.status("RssAnon:")
	scene, end := context.WithCancel(ctx)
	defer end()
	memory := running.memory(end)
	used, began := running.cpu(), time.Now()
	o.Report, err = sc.play(scene, p, h, all)
	if err != nil || o.Answered() == 0 {
		return o, fmt.Errorf("%s: %s: no answers: %w", p.name, sc.name, err)
	}
	o.cpu = float64((running.cpu() - used).Microseconds()) / float64(o.Answered())
	o.ended = running.ended()
	time.Sleep(settling)
	o.memory, o.after = memory(), running.status("RssAnon:")
	if silent := h.silent.Load(); silent != nil {
		o.died = true
		o.dip, o.back = recovery(&o.Report, silent.Sub(began))
	}
	return o, nil
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
