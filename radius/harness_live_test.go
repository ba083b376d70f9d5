package radius_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"sync"
	"time"

	"sekisho/dict"
	"sekisho/engine"
	"sekisho/radius"
	"sekisho/radius/coa"
	"sekisho/radius/radiustest"
	"sekisho/radius/session"
)

// told has the NAS take CoA, at a router that answers by itself. Its sessions
// are then told what is wanted while they live.
func told(router **radiustest.Router, live **session.Table) func(*setup) {
	return func(s *setup) {
		table(live)(s)
		s.profile.OpenFilter = "op25b-off"
		s.told = router
	}
}

// startRouter opens the router that is told.
func (s *site) startRouter() {
	s.Helper()
	router, err := radiustest.NewRouter(nasSecret, func(r *radiustest.Request) [][]byte { return [][]byte{r.ACK()} })
	must(s, err)
	s.Cleanup(router.Close)
	*s.setup.told = router
}

// startKeeper has a proxy in this process tell its sessions; a daemon does by
// itself.
func (s *site) startKeeper(c *radius.Config) {
	client := coa.NewClient(coa.ClientOptions{})
	s.keeper = coa.NewKeeper(coa.Options{Sessions: s.setup.sessions.(atOnce).table, Decider: deciding{s, c.Policy}, Sender: client, Clock: s.now.Now})
	to := &coa.NAS{Name: s.setup.nas.Name, Address: (*s.setup.told).Addr, Secret: s.setup.nas.Secret, EventTimestamp: true}
	s.keeper.Configure([]coa.Router{{Name: s.setup.nas.Name, CoA: to, Profile: c.NAS[0].Profile, Dictionary: dict.Standard()}}, coa.Rules{})
	s.keeper.Start()
	s.Cleanup(func() {
		s.keeper.Close()
		client.Close()
	})
}

// deciding asks the engine about live sessions.
type deciding struct {
	site   *site
	policy *engine.Policy
}

func (d deciding) Decide(l *session.Session, now time.Time) (engine.Decision, error) {
	facts := l.Facts()
	err := d.site.setup.subscribers.Subscriber(l.Account, &facts)
	return engine.Decide(d.policy, &facts, now), err
}

// granting are subscribers in memory some of whom have a grant.
type granting struct {
	contracts
	mu     sync.Mutex
	grants map[string]engine.Override
}

func (g *granting) Subscriber(account string, f *engine.Facts) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	if o, ok := g.grants[account]; ok {
		f.Overrides = []engine.Override{o}
	}
	return g.contracts.Subscriber(account, f)
}

// grant has an account open until a date of June 2007.
func (s *site) grant(account string, until int) {
	s.Helper()
	if d, outside := s.proxy.(*daemon); outside {
		d.grant(account, fmt.Sprintf("2007-06-%02d", until))
		return
	}
	g := s.setup.subscribers.(*granting)
	g.mu.Lock()
	g.grants = map[string]engine.Override{account: {ID: "1", Action: "open", From: june, Until: time.Date(2007, 6, until, 0, 0, 0, 0, time.UTC)}}
	g.mu.Unlock()
	s.keeper.AccountsChanged([]string{account})
}

func (d *daemon) grant(account, until string) {
	d.Helper()
	text, err := json.Marshal(map[string]string{"account": account, "kind": "grant", "action": "open", "reason": "own mail server", "until": until})
	must(d, err)
	answer, err := d.door.Post("http://sekisho/v1/overrides", "application/json", bytes.NewReader(text))
	must(d, err)
	defer answer.Body.Close()
	if answer.StatusCode/100 != 2 {
		var problem bytes.Buffer
		_, _ = problem.ReadFrom(answer.Body)
		d.Fatalf("the grant is refused: %s %s", http.StatusText(answer.StatusCode), problem.String())
	}
}

// applied waits until the live sessions are known to have been told so.
func (s *site) applied(t *session.Table, action, proof string) {
	s.Helper()
	s.until(fmt.Sprintf("the session has %s, %s", action, proof), func() bool {
		if d, outside := s.proxy.(*daemon); outside {
			var page struct {
				Sessions []struct{ Applied, Proof string }
			}
			text, err := d.ask("/v1/sessions")
			must(s, err)
			must(s, json.Unmarshal(text, &page))
			return len(page.Sessions) == 1 && page.Sessions[0].Applied == action && page.Sessions[0].Proof == proof
		}
		page := t.Page(session.Filter{}, session.ID{}, 2)
		return len(page) == 1 && page[0].Applied == action && page[0].Proof.String() == proof
	})
}
