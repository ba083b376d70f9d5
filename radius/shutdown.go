package radius

import (
	"context"
	"fmt"
	"strings"
	"time"
)

// Shutdown takes no more requests, waits until those under way are answered or
// the context ends, and closes everything. It returns the context's error when
// requests were left without their answer or decisions hang; otherwise nothing
// of the proxy runs any more, and the Subscribers may be closed.
func (p *Proxy) Shutdown(ctx context.Context) error {
	for _, l := range p.listeners {
		l.stop()
	}
	err := p.drain(ctx)
	p.shut.Do(func() { close(p.stopSweep) })
	p.closeAll()
	if err == nil {
		p.others.Wait()
	}
	return err
}

func (p *Proxy) drain(ctx context.Context) error {
	stopped := make(chan struct{})
	go func() {
		p.serving.Wait()
		close(stopped)
	}()
	tick := time.NewTicker(sweepInterval / 10)
	defer tick.Stop()
	for {
		busy := p.underWay()
		if busy == 0 && closed(stopped) {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("%s: %w", p.left(), ctx.Err())
		case <-tick.C:
		}
	}
}

// left says what keeps the proxy from ending.
func (p *Proxy) left() string {
	var left []string
	stuck := p.aside.stuck.Load() // their requests are answered
	if unanswered := p.underWay() - stuck; unanswered > 0 || stuck == 0 {
		left = append(left, fmt.Sprintf("%d requests left without an answer", unanswered))
	}
	if stuck > 0 {
		left = append(left, fmt.Sprintf("%d decisions do not come to an end", stuck))
	}
	return strings.Join(left, ", ")
}

func closed(c chan struct{}) bool {
	select {
	case <-c:
		return true
	default:
		return false
	}
}

// underWay counts the requests that may still be answered. A reply is counted
// among the second before it leaves the first, so none slips through between.
func (p *Proxy) underWay() int64 {
	waiting := p.counters.waiting()
	return waiting + p.answering.Load()
}

func (p *Proxy) closeAll() {
	for _, l := range p.listeners {
		l.close()
	}
	for _, peer := range p.allPeers() {
		peer.close()
	}
}
