package session

// Telling notes which action the router of a session is being told now; with an
// empty one it has answered, or nobody waits for that any more. There are never
// more of these than requests under way, and none is on disk: see Announce for
// what is.
func (t *Table) Telling(id ID, action string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if action == "" {
		delete(t.telling, id)
		return
	}
	t.telling[id] = action
}

// copy makes a Session of an entry that is not over.
func (t *Table) copy(e *entry) Session {
	s := e.copy()
	if len(t.telling) == 0 {
		return s
	}
	if s.Telling = t.telling[s.ID]; s.Telling != "" && s.Why == AwaitsTurn {
		s.Why = AwaitsAnswer
	}
	return s
}
