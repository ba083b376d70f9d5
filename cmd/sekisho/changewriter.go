package main

import (
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"time"

	"sekisho/cmd/internal/admin"
)

// toldChange is a change of an override for programs, with what became of the
// account's live sessions.
type toldChange struct {
	admin.Changed
	Live []becoming `json:"live,omitempty"`
}

// changeWriter writes changes for programs, one after the other.
type changeWriter struct {
	io.Writer
	begun bool
}

func (w *changeWriter) write(format string, c toldChange) error {
	switch format {
	case "csv":
		return w.records(c)
	case "ndjson":
		e := json.NewEncoder(w)
		e.SetEscapeHTML(false)
		return e.Encode(c)
	}
	return writeJSON(w, c)
}

var changeColumns = []string{
	"id", "account", "kind", "action", "state", "from", "until", "dry_run", "nas", "box", "session", "user", "started", "wanted", "applied", "proof",
	"outcome", "seconds", "why",
}

// records writes a line for each live session, or one where there is none.
func (w *changeWriter) records(c toldChange) error {
	out := csv.NewWriter(w)
	if !w.begun {
		w.begun = true
		_ = out.Write(changeColumns) // the writer keeps its first error until the end
	}
	o := c.Override
	about := []string{o.ID, o.Account, o.Kind, o.Action, o.State, stamp(o.From), stamp(o.Until), fmt.Sprint(c.DryRun)}
	if len(c.Live) == 0 {
		_ = out.Write(append(about, make([]string, len(changeColumns)-len(about))...))
	}
	for _, b := range c.Live {
		seconds := ""
		if b.Seconds != nil {
			seconds = fmt.Sprintf("%.3f", *b.Seconds)
		}
		_ = out.Write(append(about[:len(about):len(about)], b.NAS, b.Box, b.Session, b.User, stamp(&b.Started), b.Wanted, b.Applied, b.Proof, b.Outcome, seconds, b.Why))
	}
	out.Flush()
	return out.Error()
}

// stamp is a time for programs; empty for none.
func stamp(t *time.Time) string {
	if t == nil {
		return ""
	}
	return t.Format(time.RFC3339)
}
