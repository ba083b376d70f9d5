package daemon

import (
	"fmt"
	"net/http"
	"strings"

	"sekisho/cmd/internal/admin"
	"sekisho/radius/session"
)

// NoSession says that a NAS has no session of a name, and at which of several
// routers behind its entry there is one: whoever reads the lists overlooks the
// box easily.
func (d *Daemon) NoSession(id session.ID) error {
	var boxes []string
	for _, other := range d.live.Named(id.AcctSession) {
		if other.NAS == id.NAS && other.Box != id.Box {
			boxes = append(boxes, other.Box)
		}
	}
	detail := fmt.Sprintf("there is no live session %q of NAS %q", id.AcctSession, id.NAS)
	if id.Box != "" {
		detail += " with box " + id.Box
	}
	if len(boxes) > 0 {
		detail += "; there is one with box " + strings.Join(boxes, " and one with box ")
	}
	return &admin.Problem{Status: http.StatusNotFound, Detail: detail}
}
