package daemon

import (
	"fmt"
	"net/http"
	"slices"
	"time"

	"sekisho/cmd/internal/admin"
	"sekisho/cmd/internal/config"
	"sekisho/engine"
	"sekisho/engine/yamldoc"
	"sekisho/store"
)

// Now is what time it is for the policy, in its timezone.
func (d *Daemon) Now() time.Time { return d.options.Clock().In(d.config.Load().Policy.Location) }

// Settle reads what a caller says of a new override: the account, the times in
// the policy's timezone, and words that the policy and the site file must know.
func (d *Daemon) Settle(n admin.NewOverride) (store.Override, error) {
	c := d.config.Load()
	o := store.Override{Account: n.Account, Kind: n.Kind, Action: n.Action, Reason: n.Reason, Ticket: n.Ticket, Area: n.Area, NAS: n.NAS}
	var err error
	if o.From, err = bound(n.From, c.Policy.Location); err != nil {
		return o, err
	}
	if o.Until, err = bound(n.Until, c.Policy.Location); err != nil {
		return o, err
	}
	err = d.settle(c, &o, n.Force)
	return o, err
}

// SettleRow is Settle for what was read from a file.
func (d *Daemon) SettleRow(o *store.Override, force bool) error {
	return d.settle(d.config.Load(), o, force)
}

func (d *Daemon) settle(c *config.Config, o *store.Override, force bool) error {
	err := checkWords(c, o)
	if err == nil {
		o.Account, err = d.account(c.Policy, o.Account, force)
	}
	return err
}

func bound(text string, zone *time.Location) (time.Time, error) {
	if text == "" {
		return time.Time{}, nil
	}
	return admin.Instant(text, zone)
}

// checkWords refuses an action, an area or a NAS that is none: such an override
// would silently do nothing.
func checkWords(c *config.Config, o *store.Override) error {
	return unknownWord(c, o.NAS, o.Area, o.Action, http.StatusUnprocessableEntity, knows)
}

// UnknownName says which of a NAS, an area and an action is none of the site
// file's and the policy's, in this spelling; empty ones are not asked about.
func (d *Daemon) UnknownName(nas, area, action string) error {
	return unknownWord(d.config.Load(), nas, area, action, http.StatusNotFound, func(known []string, word string) bool { return slices.Contains(known, word) })
}

func unknownWord(c *config.Config, nas, area, action string, status int, knows func(known []string, word string) bool) error {
	var actions, nases []string
	areas := slices.Clone(c.Policy.Areas())
	for _, a := range c.Policy.Actions {
		actions = append(actions, a.Name)
	}
	for _, n := range c.Radius.NAS {
		nases = append(nases, n.Name)
		if n.Area != "" && !slices.Contains(areas, n.Area) {
			areas = append(areas, n.Area)
		}
	}
	for _, w := range []struct {
		key, word string
		known     []string
	}{{"action", action, actions}, {"area", area, areas}, {"nas", nas, nases}} {
		if w.word != "" && !knows(w.known, w.word) {
			return &admin.Problem{Status: status, Detail: fmt.Sprintf("there is no %s %q; %s", w.key, w.word, meant(w.word, w.known))}
		}
	}
	return nil
}

// meant says which word is probably meant, or which there are.
func meant(word string, known []string) string {
	for _, k := range known {
		if engine.Fold(k) == engine.Fold(word) {
			return fmt.Sprintf("did you mean %q?", k)
		}
	}
	return yamldoc.Suggest(word, known)
}

func knows(known []string, word string) bool {
	for _, k := range known {
		if engine.Fold(k) == engine.Fold(word) {
			return true
		}
	}
	return false
}
