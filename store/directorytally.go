package store

import (
	"encoding/hex"
	"encoding/json"
	"fmt"

	bolt "go.etcd.io/bbolt"
)

// directoryTally is what a comparison with a directory has found.
type directoryTally struct {
	*tally
	report  DirectoryReport // but for what the tally has
	shown   *ContractDiff
	limit   int          // of kept
	kept    []settlement // the first ones that touch anything
	touched int          // how many do
	missing int          // by how many more contracts are in their grace
	doubles int          // by how many more entries are doubles
	doubled []settlement // whose doubles change
}

func newDirectoryTally(limit int) *directoryTally {
	return &directoryTally{tally: newTally(), limit: limit}
}

func (t *directoryTally) add(c settlement) {
	shown := c.change
	if c.fate == vanished {
		shown.kind, shown.after = deleted, nil
	}
	t.tally.add(shown, max(t.limit, auditedChanges))
	switch c.fate {
	case vanished:
		t.report.Vanished++
	case returned:
		t.report.Returned++
	case replaced:
		t.report.Replaced++
	}
	t.report.Doubles += len(c.is.doubles)
	if !c.touches() {
		return
	}
	t.touched++
	t.missing += inGrace(c.is) - inGrace(c.was)
	if more := len(c.is.doubles) - len(c.was.doubles); more != 0 || len(c.is.doubles) > 0 {
		t.doubles += more
		t.doubled = append(t.doubled, c)
	}
	if len(t.kept) < t.limit {
		t.kept = append(t.kept, c)
	}
}

func inGrace(st standing) int {
	if st.owned && st.owner.missing != 0 {
		return 1
	}
	return 0
}

// concerned are the accounts to be decided again, or All. Beside those whose
// contract changes they are those whose overrides end.
func (t *directoryTally) concerned() Changed {
	if t.touched > len(t.kept) {
		return Changed{All: true}
	}
	var c Changed
	for i := range t.kept {
		if k := &t.kept[i]; k.kind.writes() || k.fate == replaced || k.fate == ended {
			c.Accounts = append(c.Accounts, string(k.key))
		}
	}
	return c
}

// written are the changes of contracts among those that are kept.
func (t *directoryTally) written(yield func(change) bool) {
	for i := range t.kept {
		if c := t.kept[i].change; c.kind.writes() && !yield(c) {
			return
		}
	}
}

// record tells the audit of the changes, which leave n contracts.
func (a *application) record(tx *bolt.Tx, n, before int) error {
	shown := auditedSample
	if a.found.Report.changes() <= auditedChanges {
		shown = auditedChanges
	}
	diff, err := a.found.diff(shown)
	if err != nil {
		return err
	}
	r := a.report()
	r.Diff = diff
	after, err := json.Marshal(struct {
		Contracts int `json:"contracts"`
		DirectoryReport
		SHA256 string `json:"sha256"`
	}{n, r, a.digest()})
	if err != nil {
		return err
	}
	return a.audit(tx, Entry{By: a.by, Op: a.op, Subject: a.source, Before: fmt.Appendf(nil, `{"contracts":%d}`, before), After: after})
}

// digest is one of all changes of contracts.
func (a *application) digest() string { return hex.EncodeToString(a.found.sum.Sum(nil)) }
