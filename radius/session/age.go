package session

// agedAtOnce is how many sessions one call of Sweep looks at: with one call a
// second, a million take less than a minute.
const agedAtOnce = 20_000

// Sweep does what time brings: sessions end that have kept silent for too
// long, Accepts stop waiting for their Start. It is to be called every second.
func (t *Table) Sweep() {
	t.mu.Lock()
	defer t.mu.Unlock()
	now := t.options.Clock()
	t.born = min(t.born, now.UnixNano()) // the clock may have been set back
	t.giveUp(now)
	t.graves.expire(now.UnixNano())
	for range min(agedAtOnce, len(t.all)) {
		if t.aged++; t.aged >= len(t.all) {
			t.aged = 0
		}
		if len(t.all) > 0 {
			t.age(t.all[t.aged], now.UnixNano())
		}
	}
}

// age ends a session that has missed too many Interims, or was silent for too
// long altogether. History has it until one more Interim would have come.
func (t *Table) age(e *entry, now int64) {
	e.updated = min(e.updated, now)
	limit := int64(t.options.MaxQuiet)
	if e.interval > 0 {
		limit = int64(t.options.Missed) * e.interval
	}
	if now-max(e.updated, t.born) > limit {
		t.end(e, stone{stamp: min(now, e.updated+e.interval)}, Aged, Aged)
	}
}
