package daemon

import (
	"net/netip"
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
	had, err := d.live.writer.WhoHad(a, at)
	return had, at, err
}
