package radius

import (
	"testing"
	"time"
)

func TestMomentsComeBackAsTheyWere(t *testing.T) {
	t.Parallel()
	for _, at := range []time.Time{epoch, epoch.Add(time.Hour), time.Now(), time.Date(2007, 5, 15, 0, 0, 0, 1, time.UTC)} {
		var m moment
		if !m.time().IsZero() {
			t.Errorf("a new moment is %v, want never", m.time())
		}
		m.set(at)
		if off := m.time().Sub(at); off < 0 || off > 1 {
			t.Errorf("%v came back as %v", at, m.time())
		}
	}
}
