package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"time"

	"sekisho/cmd/internal/load"
)

func (s *settings) options(p *peer, window int, duration, timeout time.Duration, all []load.User) load.Options {
	return load.Options{
		Auth: loopback(p.port), Secret: []byte(nasSecret), Users: all,
		Sockets: 8, Window: window, Duration: duration, Timeout: timeout,
	}
}

// figure is what one measurement gave.
type figure struct {
	rate, cpu float64 // logins a second; microseconds of the proxy's CPU for one
	p50, p99  float64 // microseconds
	memory    float64 // MiB resident at the most
	lost, bad uint64
}

func (s *settings) measureAll(ctx context.Context, peers []peer, h *home) (map[string][]figure, error) {
	all := users(s.contracts)
	figures := map[string][]figure{}
	for round := range s.rounds {
		for _, i := range rand.Perm(len(peers)) {
			f, err := s.measure(ctx, &peers[i], all)
			if err != nil {
				return nil, err
			}
			figures[peers[i].name] = append(figures[peers[i].name], f)
			fmt.Printf("round %d: %-36s %6.0f/s %6.1f µs\n", round+1, peers[i].name, f.rate, f.cpu)
		}
	}
	if n := h.refused.Load(); n > 0 {
		return nil, fmt.Errorf("the AAA server was sent %d requests that it must refuse", n)
	}
	return figures, nil
}

func (s *settings) measure(ctx context.Context, p *peer, all []load.User) (figure, error) {
	running, err := s.start(ctx, p)
	if err != nil {
		return figure{}, err
	}
	defer running.stop()
	return s.load(ctx, running, p, time.Second, all)
}

// load has subscribers log in at a peer that runs, and counts after some time.
func (s *settings) load(ctx context.Context, running *process, p *peer, warmUp time.Duration, all []load.User) (figure, error) {
	if _, err := load.Run(ctx, s.options(p, s.window, warmUp, time.Second, all), nil); err != nil {
		return figure{}, err
	}
	before := running.cpu()
	r, err := load.Run(ctx, s.options(p, s.window, s.duration, 3*time.Second, all), nil)
	if err != nil || r.Answered() == 0 {
		return figure{}, fmt.Errorf("%s: no answers: %w", p.name, err)
	}
	used := running.cpu() - before
	return figure{
		rate: float64(r.Answered()) / r.Took.Seconds(), cpu: float64(used.Microseconds()) / float64(r.Answered()),
		p50: float64(r.Latency.ValueAtPercentile(50)), p99: float64(r.Latency.ValueAtPercentile(99)),
		memory: running.status("VmHWM:"), lost: r.Lost, bad: r.WrongInAll() + r.Rejected,
	}, nil
}
