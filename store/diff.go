package store

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"hash"

	"sekisho/engine"
)

const (
	// auditedChanges is up to how many changes of an import stand in the audit
	// one by one.
	auditedChanges = 1000
	// auditedSample is how many of more than that do.
	auditedSample = 20
)

// ContractDiff is the beginning of what an import changes, in key order.
type ContractDiff struct {
	Changes []ContractChange `json:"changes"`
	More    int              `json:"more,omitempty"` // changes that are not shown
}

// ContractChange is one contract before and after; nil where there is none.
type ContractChange struct {
	Account string            `json:"account"`
	Before  *ContractAsStored `json:"before,omitempty"`
	After   *ContractAsStored `json:"after,omitempty"`
}

// ContractAsStored is an engine.Contract in reports and in the audit.
type ContractAsStored struct {
	Account string   `json:"account"`
	Course  string   `json:"course"`
	Address string   `json:"address,omitempty"`
	Area    string   `json:"area,omitempty"`
	Segment string   `json:"segment,omitempty"`
	Options []string `json:"options,omitempty"`
	Status  string   `json:"status,omitempty"`
}

// tally is what a comparison has found.
type tally struct {
	Report
	changes []change  // the first ones: as many as may be applied directly
	sum     hash.Hash // over all of them
}

func (t *tally) add(c change, keep int) {
	switch c.kind {
	case added:
		t.Added++
	case changed:
		t.Changed++
	case deleted:
		t.Deleted++
	case unchanged:
		t.Unchanged++
	}
	if !c.kind.writes() {
		return
	}
	if len(t.changes) < keep {
		// Copied, for a key and a value keep the block alive that they lie in.
		t.changes = append(t.changes, change{c.kind, bytes.Clone(c.key), bytes.Clone(c.before), bytes.Clone(c.after)})
	}
	var length [8]byte
	for _, part := range [][]byte{c.key, c.before, c.after} {
		binary.BigEndian.PutUint64(length[:], uint64(len(part)))
		t.sum.Write(length[:])
		t.sum.Write(part)
	}
}

func newTally() *tally { return &tally{sum: sha256.New()} }

// diff shows the first n changes.
func (t *tally) diff(n int) (*ContractDiff, error) {
	shown := t.changes[:min(n, len(t.changes))]
	d := &ContractDiff{Changes: make([]ContractChange, len(shown)), More: t.Report.changes() - len(shown)}
	for i, c := range shown {
		var err error
		if d.Changes[i], err = c.readable(); err != nil {
			return nil, err
		}
	}
	return d, nil
}

func (c change) readable() (r ContractChange, err error) {
	key := string(c.key)
	for value, text := range map[*[]byte]**ContractAsStored{&c.before: &r.Before, &c.after: &r.After} {
		if *value == nil {
			continue
		}
		contract, err := decodeContract(key, *value)
		if err != nil {
			return r, err
		}
		*text, r.Account = (*ContractAsStored)(&contract), contract.Account
	}
	return r, nil
}

// audited is what the audit tells of an import: all of up to auditedChanges,
// else a sample and a digest of all, which the same import of the same contracts
// would have again.
func (t *tally) audited(contracts int) (json.RawMessage, error) {
	shown := auditedSample
	if t.Report.changes() <= auditedChanges {
		shown = auditedChanges
	}
	diff, err := t.diff(shown)
	if err != nil {
		return nil, err
	}
	r := t.Report
	r.Diff = diff
	return json.Marshal(struct {
		Contracts int `json:"contracts"`
		Report
		SHA256 string `json:"sha256"`
	}{contracts, r, hex.EncodeToString(t.sum.Sum(nil))})
}

// accounts are the folded accounts concerned, or All.
func (t *tally) accounts() Changed {
	if t.Report.changes() > len(t.changes) {
		return Changed{All: true}
	}
	c := Changed{Accounts: make([]string, len(t.changes))}
	for i := range t.changes {
		c.Accounts[i] = string(t.changes[i].key)
	}
	return c
}

var _ = engine.Contract(ContractAsStored{}) // the same fields
