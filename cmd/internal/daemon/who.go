package daemon

import (
	"net/netip"
	"slices"
	"time"

	"sekisho/cmd/internal/admin"
	"sekisho/store"
)

// WhoHad tells who had an address at a time: by the sessions that are live, and
// by the history of those that were, whether it is on disk or not.
func (d *Daemon) WhoHad(a netip.Addr, text string) ([]store.Stretch, time.Time, error) {
	local := d.config.Load().Policy.Location
	at := d.options.Clock().In(local)
	if text != "" {
		var err error
		if at, err = admin.Instant(text, local); err != nil {
			return nil, at, err
		}
	}
	if err := d.live.whole(); err != nil {
		return nil, at, err
	}
	had, err := whoHad(d.live.writer.WhoHad, a, at, text != "" && at.Nanosecond() == 0)
	return had, at, err
}

// whoHad looks at an instant, or at both ends of a second: that is how people,
// mail headers and our lists write times, and where one line gives way to
// another within it nobody may be missing, and nobody be taken for the other.
func whoHad(at func(netip.Addr, time.Time) ([]store.Stretch, error), a netip.Addr, from time.Time, second bool) ([]store.Stretch, error) {
	first, err := at(a, from)
	if err != nil || !second {
		return first, err
	}
	had, err := at(a, from.Add(time.Second-1))
	for _, h := range first {
		if !slices.ContainsFunc(had, func(o store.Stretch) bool {
			return o.From.Equal(h.From) && o.Address == h.Address && o.NAS == h.NAS && o.Box == h.Box && o.AcctSession == h.AcctSession
		}) {
			had = append(had, h)
		}
	}
	return had, err
}
