package store

import (
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"sekisho/engine"
)

// TestNoUpdateIsLostNorReadInPart: many clients renew the same overrides, each
// on top of what it has seen, while others read them in every way.
func TestNoUpdateIsLostNorReadInPart(t *testing.T) {
	t.Parallel()
	s, _ := openAtNoon(t, contract("a", "c"))
	made := []Override{mustAdd(t, s, grant("a")), mustAdd(t, s, grant("a"))}
	const writers, each = 16, 8
	var writing, reading sync.WaitGroup
	for w := range writers {
		writing.Go(func() {
			for range each {
				if err := renewOnTop(s, made[w%2].ID); err != nil {
					t.Error(err)
				}
			}
		})
	}
	done := make(chan struct{})
	for range 4 {
		reading.Go(func() {
			for {
				if err := readWhole(s); err != nil {
					t.Error(err)
				}
				select {
				case <-done:
					return
				default:
				}
			}
		})
	}
	writing.Wait()
	close(done)
	reading.Wait()
	for _, o := range made {
		if is, err := s.Override(o.ID); is.Version != 1+writers*each/2 || err != nil {
			t.Errorf("version %d, %v", is.Version, err)
		}
	}
}

// renewOnTop makes the override a second longer, whatever others do.
func renewOnTop(s *Store, id string) error {
	for {
		o, err := s.Override(id)
		if err != nil {
			return err
		}
		_, err = s.RenewOverride(tester, id, o.Version, o.Until.Add(time.Second), "r")
		if !errors.Is(err, ErrVersion) {
			return err
		}
	}
}

// readWhole holds that what is read fits together: every version has its second.
func readWhole(s *Store) error {
	page, _, err := s.Overrides(OverrideFilter{States: []State{Active}, Limit: 9})
	if err != nil || len(page) != 2 {
		return fmt.Errorf("%d overrides, %w", len(page), err)
	}
	for _, o := range page {
		if len(o.History) != o.Version-1 || !o.Until.Equal(noon.Add(72*time.Hour+time.Duration(o.Version-1)*time.Second)) {
			return fmt.Errorf("torn: %+v", o)
		}
	}
	var f engine.Facts
	if err := s.Subscriber("a", &f); err != nil || f.Contract == nil || len(f.Overrides) != 2 {
		return fmt.Errorf("%+v, %w", f, err)
	}
	return nil
}

// BenchmarkSubscriber is the look-up of every packet, in a store at rest and
// beside 64 clients that grant, revoke and list without a pause.
func BenchmarkSubscriber(b *testing.B) {
	const n = 100_000
	for name, clients := range map[string]int{"idle": 0, "64 clients": 64} {
		b.Run(name, func(b *testing.B) {
			all := typical(n)
			s := openTemp(b, all...)
			for i := range 1000 {
				mustAdd(b, s, Override{Account: all[i*7].Account, Kind: Grant, Action: "open", Reason: "r"})
			}
			var stop atomic.Bool
			var changes atomic.Int64
			var busy sync.WaitGroup
			for range clients {
				busy.Go(func() {
					for !stop.Load() {
						if err := grantListRevoke(s, all[changes.Add(2)%n].Account); err != nil {
							b.Error(err)
							return
						}
					}
				})
			}
			took := make([]time.Duration, 0, b.N)
			var f engine.Facts
			b.ReportAllocs()
			for i := 0; b.Loop(); i++ {
				began := time.Now()
				if err := s.Subscriber(all[i%n].Account, &f); f.Contract == nil || err != nil {
					b.Fatal(err)
				}
				took = append(took, time.Since(began))
			}
			stop.Store(true)
			busy.Wait()
			slices.Sort(took)
			b.ReportMetric(float64(took[len(took)/2].Nanoseconds()), "ns-median")
			b.ReportMetric(float64(took[len(took)*99/100].Nanoseconds()), "ns-p99")
			b.ReportMetric(float64(changes.Load())/b.Elapsed().Seconds(), "changes/s")
		})
	}
}

func grantListRevoke(s *Store, account string) error {
	made, _, err := s.AddOverride(tester, Override{Account: account, Kind: Grant, Action: "open", Reason: "r"})
	if err != nil {
		return err
	}
	if _, _, err := s.Overrides(OverrideFilter{Account: account, Limit: 100}); err != nil {
		return err
	}
	_, err = s.RevokeOverride(tester, made.ID, 1, "r")
	return err
}
