package daemon

import (
	"fmt"
	"strings"

	"sekisho/cmd/internal/admin"
	"sekisho/cmd/internal/config"
	"sekisho/engine"
	"sekisho/store"
)

// shownVoid is how many void overrides a warning names.
const shownVoid = 5

// Void tells why an override does nothing although it stands, or "": it names
// an action, an area or a NAS that a reload has taken away.
func (d *Daemon) Void(o *store.Override) string { return wordsOf(d.config.Load()).void(o) }

// words are what overrides may name, folded.
type words struct{ actions, areas, nases map[string]bool }

func wordsOf(c *config.Config) words {
	w := words{map[string]bool{}, map[string]bool{}, map[string]bool{}}
	for _, a := range c.Policy.Actions {
		w.actions[engine.Fold(a.Name)] = true
	}
	for _, area := range c.Policy.Areas() {
		w.areas[engine.Fold(area)] = true
	}
	for _, n := range c.Radius.NAS {
		w.nases[engine.Fold(n.Name)] = true
		w.areas[engine.Fold(n.Area)] = true
	}
	return w
}

func (w words) void(o *store.Override) string {
	switch {
	case !w.actions[engine.Fold(o.Action)]:
		return "the policy has no action " + o.Action
	case o.Area != "" && !w.areas[engine.Fold(o.Area)]:
		return "there is no area " + o.Area
	case o.NAS != "" && !w.nases[engine.Fold(o.NAS)]:
		return "there is no NAS " + o.NAS
	}
	return ""
}

// voidWarning tells of the overrides that stand and do nothing by a
// configuration; empty: there are none.
func (d *Daemon) voidWarning(c *config.Config) string {
	w, count := wordsOf(c), 0
	var shown []string
	standing := store.OverrideFilter{States: []store.State{store.Pending, store.Active}, Now: d.options.Clock()}
	for o, err := range d.store.AllOverrides(standing) {
		if err != nil {
			return "it is not known which overrides do nothing any more: " + err.Error()
		}
		why := w.void(&o)
		if why == "" {
			continue
		}
		if count++; count <= shownVoid {
			shown = append(shown, fmt.Sprintf("%s on %s (%s)", o.ID, o.Account, why))
		}
	}
	switch {
	case count == 0:
		return ""
	case count > shownVoid:
		shown = append(shown, fmt.Sprintf("and %d more", count-shownVoid))
	}
	return fmt.Sprintf("overrides that stand and do nothing: %d: %s; sekisho overrides list shows them", count, strings.Join(shown, ", "))
}

// warnOfVoid adds the warning of void overrides to what a reload has to say.
func (d *Daemon) warnOfVoid(to *admin.Reload) {
	if warning := d.voidWarning(d.config.Load()); warning != "" {
		d.options.Log.Warn(warning)
		to.Warnings = append(to.Warnings, warning)
	}
}
