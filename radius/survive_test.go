package radius_test

import (
	"strings"
	"sync/atomic"
	"testing"

	"sekisho/radius"
)

// clumsy is a debug output that panics at its n-th line.
type clumsy struct {
	left atomic.Int64
	at   string
}

func (c *clumsy) Write(b []byte) (int, error) {
	if strings.Contains(string(b), c.at) && c.left.Add(-1) == 0 {
		panic("clumsy")
	}
	return len(b), nil
}

func TestPanicTakesOnePacketOnly(t *testing.T) {
	t.Parallel()
	for _, at := range []string{"Received Access-Request", "Realm goes to", "Received Access-Accept", "Decision: ", "Sent Access-Accept"} {
		t.Run(at, func(t *testing.T) {
			t.Parallel()
			s := start(t)
			c := &clumsy{at: at}
			c.left.Store(1)
			s.inside().SetDebug(c)
			must(t, s.nas.Send(access(t, 1, user)))
			s.until("the panic is counted", func() bool { return s.proxy.Stats().NAS["bras1"].Dropped["panic"] == 1 })
			s.quiet(s.nas)
			match(t, "the next one", attributesOf(s.exchange(s.nas, access(t, 2, user))), accepted)
			if stats := s.proxy.Stats(); stats.NAS["bras1"].Outstanding != 0 || stats.AAA["tokyo-1"].Outstanding != 0 {
				t.Errorf("something is left: %+v", stats)
			}
			if !strings.Contains(s.log.String(), "stack=") {
				t.Error("the log has no stack")
			}
			match(t, "the same one again", attributesOf(s.exchange(s.nas, access(t, 1, user))), accepted)
		})
	}
}

func TestPanicAtATimeOutTakesOnePacketOnly(t *testing.T) {
	t.Parallel()
	s := start(t, answering(silent), func(s *setup) { s.server.NoStatusCheck = true })
	c := &clumsy{at: "Not answered"}
	c.left.Store(1)
	s.inside().SetDebug(c)
	must(t, s.nas.Send(access(t, 1, user)))
	must(t, s.nas.Send(access(t, 2, user)))
	s.seen(2)
	s.timer.advance(radius.DefaultRequestTime + 1)
	s.until("both are given up", func() bool {
		s.proxy.Sweep()
		dropped := s.proxy.Stats().NAS["bras1"].Dropped
		return dropped["panic"] == 1 && dropped["timeout"] == 1
	})
	if stats := s.proxy.Stats(); stats.Held != 0 || stats.NAS["bras1"].Outstanding != 0 || stats.AAA["tokyo-1"].Outstanding != 0 {
		t.Errorf("something is left: %+v", stats)
	}
}
