package session

import (
	"time"

	"sekisho/engine"
)

// Decided notes what the engine says about a session at the instant now, and
// when it wants to be asked again. A session that is over is none any more.
func (t *Table) Decided(id ID, d engine.Decision, now time.Time) {
	t.mu.Lock()
	defer t.mu.Unlock()
	e := t.find(id)
	if e == nil {
		return
	}
	t.asks.set(e, nanos(d.Until))
	if e.wanted == wordOf(d.Action) && e.wantedBy == wordOf(d.Rule) && e.wantedOverride == wordOf(d.Override) && e.until == nanos(d.Until) {
		return
	}
	if e.wanted != wordOf(d.Action) {
		e.why = word{} // it stood for what was wanted before
	}
	t.turn(e, now.UnixNano(), func() { t.want(e, d) })
}

// want writes a decision into an entry. What the router was told already has
// the same reasons from then on.
func (t *Table) want(e *entry, d engine.Decision) {
	e.wanted, e.wantedBy, e.wantedOverride = wordOf(d.Action), wordOf(d.Rule), wordOf(d.Override)
	e.until = nanos(d.Until)
	if e.applied == e.wanted {
		e.rule, e.override = e.wantedBy, e.wantedOverride
	}
}

// Told notes what a router was told about a session, and how sure it is that
// it does so. NotTold leaves what was applied before as it is: only why there
// is still drift is noted. An empty action with any other proof says that
// nobody knows any more what the router does.
func (t *Table) Told(id ID, action string, proof Proof, why string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	e := t.find(id)
	if e == nil {
		return
	}
	e.why = wordOf(why)
	if proof == NotTold {
		t.settle(e)
		return
	}
	now := t.options.Clock().UnixNano()
	t.turn(e, now, func() { t.apply(e, action, proof, now) })
}

// Worded notes in which words a router was told what is applied, and whether
// the profile has other words for that by now: then there is drift. It follows
// Told, which forgets the words.
func (t *Table) Worded(id ID, words string, outdated bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	e := t.find(id)
	if e == nil || e.applied == (word{}) || e.words == wordOf(words) && e.outdated == outdated {
		return
	}
	e.words, e.outdated = wordOf(words), outdated
	t.settle(e)
}

// apply writes what a router was told into an entry.
func (t *Table) apply(e *entry, action string, proof Proof, at int64) {
	if action == "" {
		proof = NotTold
	}
	e.applied, e.proof, e.appliedAt = wordOf(action), proof, at
	e.words, e.outdated = word{}, false
	e.rule, e.override = word{}, word{}
	if e.applied == e.wanted {
		e.rule, e.override = e.wantedBy, e.wantedOverride
	}
}

// Gone ends a session that its NAS does not know any more.
func (t *Table) Gone(id ID, reason string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if e := t.find(id); e != nil {
		now := t.options.Clock().UnixNano()
		t.end(e, stone{stamp: now}, Gone, reason)
	}
}

// Ask makes sessions due at once: something that their decisions rest on has
// changed. Those that are over are passed by.
func (t *Table) Ask(ids ...ID) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, id := range ids {
		if e := t.find(id); e != nil {
			t.asks.set(e, atOnce)
		}
	}
	t.signal()
}

// Reread reads every login anew, by a policy that has just been loaded, and
// makes every session due. It lets others in between some thousand sessions.
func (t *Table) Reread(read func(name string) engine.Login) {
	for _, e := range t.snapshot(func(*entry) bool { return true }) {
		t.reread(e, read)
	}
	t.signal()
}

func (t *Table) reread(e *entry, read func(string) engine.Login) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if e.router == nil {
		return
	}
	t.asks.set(e, atOnce)
	l := read(e.name)
	if l == (engine.Login{Account: e.account, Realm: e.realm.String(), Form: e.form.String()}) {
		return
	}
	t.turn(e, t.options.Clock().UnixNano(), func() { t.reads(e, l) })
}

// reads writes a login as the policy reads it into an entry.
func (t *Table) reads(e *entry, l engine.Login) {
	x := e.texts()
	x.account = l.Account
	e.lay(x)
	e.realm, e.form = wordOf(l.Realm), wordOf(l.Form)
	e.courseKnown = false
}
