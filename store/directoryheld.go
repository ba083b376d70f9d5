package store

import (
	"context"
	"encoding/json"
	"fmt"
	"iter"
	"slices"

	"github.com/fxamacker/cbor/v2"
	bolt "go.etcd.io/bbolt"

	"sekisho/engine"
)

// heldRow is what is held of a directory; see contractRow. The changes lie in
// buckets of their own.
type heldRow struct {
	ID      string          `cbor:"1,keyasint"`
	At      int64           `cbor:"2,keyasint"`
	Guard   GuardError      `cbor:"3,keyasint"`
	Report  json.RawMessage `cbor:"4,keyasint"`
	Cookie  []byte          `cbor:"5,keyasint,omitempty"`
	Server  string          `cbor:"6,keyasint,omitempty"`
	Full    bool            `cbor:"7,keyasint,omitempty"`
	SHA256  string          `cbor:"8,keyasint"`
	Changes []byte          `cbor:"9,keyasint"`  // account: settlementRow
	IDs     []byte          `cbor:"10,keyasint"` // id: accounts, empty where it goes
	Named   bool            `cbor:"11,keyasint,omitempty"`
}

func (r heldRow) held() Held {
	h := Held{ID: r.ID, At: fromNanos(r.At), Guard: r.Guard, Full: r.Full}
	_ = json.Unmarshal(r.Report, &h.Report) // what hold has marshalled
	return h
}

// settlementRow is how a settlement is held.
type settlementRow struct {
	Kind      kind     `cbor:"1,keyasint"`
	Fate      fate     `cbor:"2,keyasint,omitempty"`
	Before    []byte   `cbor:"3,keyasint,omitempty"`
	After     []byte   `cbor:"4,keyasint,omitempty"`
	Was       []byte   `cbor:"5,keyasint,omitempty"` // owner
	Is        []byte   `cbor:"6,keyasint,omitempty"`
	DoubleWas [][]byte `cbor:"7,keyasint,omitempty"` // id and contract
	DoubleIs  [][]byte `cbor:"8,keyasint,omitempty"`
}

// hold keeps the changes. Those that are held already keep their id.
func (a *application) hold(guard GuardError) (Held, error) {
	if h := a.row.Held; h != nil && h.SHA256 == a.digest() && h.Guard.Guard == guard.Guard {
		return h.held(), nil
	}
	h := heldRow{At: nanos(a.now()), Guard: guard, Cookie: a.cookie.Value, Server: a.cookie.Server, Full: a.full, Named: a.named, SHA256: a.digest()}
	report := a.report()
	report.Diff = nil
	var err error
	if h.Report, err = json.Marshal(report); err != nil {
		return Held{}, err
	}
	if err := a.writeHeld(&h); err != nil {
		return Held{}, err
	}
	err = a.update(func(tx *bolt.Tx) error {
		id, err := a.Store.ids.next(a.now())
		if err != nil {
			return err
		}
		h.ID = id.String()
		r := a.row
		r.Held = &h
		if err := putDirectory(tx, a.source, r); err != nil {
			return err
		}
		after, err := json.Marshal(map[string]any{"id": h.ID, "guard": guard.Text(), "report": h.Report, "sha256": h.SHA256})
		if err != nil {
			return err
		}
		return a.audit(tx, Entry{By: a.by, Op: "sync.hold", Subject: a.source, After: after})
	})
	if err != nil {
		return Held{}, err
	}
	if err := a.drainStrayGenerations(); err != nil {
		a.log.Warn("removing old changes", "file", a.path, "err", err)
	}
	return h.held(), nil
}

func (a *application) writeHeld(h *heldRow) error {
	err := a.update(func(tx *bolt.Tx) (err error) {
		if h.Changes, _, err = newBucket(tx, directoryPrefix); err != nil {
			return err
		}
		h.IDs, _, err = newBucket(tx, directoryPrefix)
		return err
	})
	if err != nil {
		return err
	}
	if _, err := a.fillGeneration(context.Background(), h.Changes, settlementRows(a.changes())); err != nil {
		return err
	}
	_, err = a.fillGeneration(context.Background(), h.IDs, a.ids())
	return err
}

// settlementRows gives those that change anything.
func settlementRows(changes iter.Seq2[settlement, error]) iter.Seq2[row, error] {
	return func(yield func(row, error) bool) {
		for c, err := range changes {
			if err != nil {
				yield(row{}, err)
				return
			}
			if !c.touches() {
				continue
			}
			value, err := encodeSettlement(&c)
			if !yield(row{c.key, value}, err) || err != nil {
				return
			}
		}
	}
}

func encodeSettlement(c *settlement) ([]byte, error) {
	r := settlementRow{Kind: c.kind, Fate: c.fate, Before: c.before, After: c.after}
	if c.was.owned {
		r.Was = c.was.owner.encode()
	}
	if c.is.owned {
		r.Is = c.is.owner.encode()
	}
	r.DoubleWas, r.DoubleIs = joinDoubles(c.was.doubles), joinDoubles(c.is.doubles)
	return cbor.Marshal(r)
}

func joinDoubles(doubles []double) (rows [][]byte) {
	for _, d := range doubles {
		rows = append(rows, append(slices.Clone(d.id[:]), d.contract...))
	}
	return rows
}

func splitDoubles(rows [][]byte) (doubles []double) {
	for _, r := range rows {
		if len(r) >= len(EntryID{}) {
			doubles = append(doubles, double{EntryID(r[:16]), r[16:]})
		}
	}
	return doubles
}

func decodeSettlement(key, value []byte) (c settlement, err error) {
	var r settlementRow
	if err := cbor.Unmarshal(value, &r); err != nil {
		return c, fmt.Errorf("held change of %s: %w: %w", key, ErrDamaged, err)
	}
	c = settlement{change: change{kind: r.Kind, key: key, before: r.Before, after: r.After}, fate: r.Fate}
	for _, side := range []struct {
		st      *standing
		owner   []byte
		doubles [][]byte
	}{{&c.was, r.Was, r.DoubleWas}, {&c.is, r.Is, r.DoubleIs}} {
		if side.owner != nil {
			side.st.owned = true
			if side.st.owner, err = decodeOwner(key, side.owner); err != nil {
				return c, err
			}
		}
		side.st.doubles = splitDoubles(side.doubles)
	}
	return c, nil
}

// HeldChanges shows what is held, in the order of accounts, up to limit changes
// after an account: ErrNotFound where nothing of that id is held. An empty id is
// whatever is held. next is the after of the next page, empty at the end.
func (s *Store) HeldChanges(source, id, after string, limit int) (held Held, page []ContractChange, next string, err error) {
	var r directoryRow
	err = s.view(func(tx *bolt.Tx) error {
		r, err = directoryIn(tx, source)
		return err
	})
	if err == nil {
		err = r.holds(id)
	}
	if err != nil {
		return held, nil, "", fmt.Errorf("directory %s: %w", source, err)
	}
	for found, err := range s.rows(named(r.Held.Changes), walk{after: []byte(after)}) {
		if err != nil {
			return held, nil, "", fmt.Errorf("directory %s: %w", source, err)
		}
		if len(page) == limit {
			next = engine.Fold(page[limit-1].Account)
			break
		}
		c, err := decodeSettlement(found.key, found.value)
		if err != nil {
			return held, nil, "", fmt.Errorf("directory %s: %w", source, err)
		}
		shown := c.change
		if c.fate == vanished {
			shown.after = nil
		}
		one, err := shown.readable()
		if err != nil {
			return held, nil, "", fmt.Errorf("directory %s: %w", source, err)
		}
		if c.kind.writes() || c.fate == vanished {
			page = append(page, one)
		}
	}
	return r.Held.held(), page, next, nil
}

// holds tells that something of this id is held.
func (r directoryRow) holds(id string) error {
	switch {
	case r.Held == nil:
		return fmt.Errorf("%w: nothing is held", ErrNotFound)
	case id != "" && id != r.Held.ID:
		return fmt.Errorf("%w: %s is held now, not %s: the directory has changed", ErrVersion, r.Held.ID, id)
	}
	return nil
}

// ApproveOptions say how held changes are made.
type ApproveOptions struct {
	// KeepOverrides leaves the overrides of accounts that belong to another entry
	// now: right after a directory was built anew, with new ids for old contracts.
	KeepOverrides bool
	Grace         bool // as in DirectoryOptions
}

// ApproveDirectory makes exactly the changes that are held under an id, whatever
// the directory says by now, which a later comparison finds. ErrNotFound: nothing
// is held; ErrVersion: something else is; ErrHeldChanged: contracts were changed
// by other hands, so that it is not the same any more.
func (s *Store) ApproveDirectory(ctx context.Context, by By, source, id string, opts ApproveOptions) (DirectoryReport, error) {
	if _, bad := by.tidy(); len(bad) > 0 {
		return DirectoryReport{}, bad
	}
	s.importing.Lock()
	defer s.importing.Unlock()
	report, err := s.approve(ctx, by, source, id, opts)
	if err != nil {
		return report, fmt.Errorf("directory %s: %w", source, full(err))
	}
	return report, nil
}

func (s *Store) approve(ctx context.Context, by By, source, id string, opts ApproveOptions) (DirectoryReport, error) {
	dir, err := s.openDirectory(source)
	if err == nil {
		err = dir.holds(id)
	}
	if err != nil {
		return DirectoryReport{}, err
	}
	h := dir.Held
	a := &application{
		Store: s, by: by, source: source, row: dir, op: "sync.approve", cookie: Cookie{h.Cookie, h.Server}, full: h.Full, named: h.Named,
		keep: opts.KeepOverrides, found: newDirectoryTally(s.direct), entries: h.held().Report.Entries,
		changes: func() iter.Seq2[settlement, error] { return s.heldSettlements(ctx, source, dir) },
		ids:     func() iter.Seq2[row, error] { return s.rows(named(h.IDs), walk{}) },
	}
	if err := a.compare(func([]EntryID) error { return nil }); err != nil {
		return DirectoryReport{}, err
	}
	return a.run(ctx)
}

// heldSettlements gives what is held, as long as it fits what stands.
func (s *Store) heldSettlements(ctx context.Context, source string, dir directoryRow) iter.Seq2[settlement, error] {
	b := &DirectoryBatch{store: s, source: source, row: dir}
	now := nanos(s.now())
	return func(yield func(settlement, error) bool) {
		for found, err := range s.rows(named(dir.Held.Changes), walk{}) {
			var c settlement
			if err == nil {
				err = ctx.Err()
			}
			if err == nil {
				c, err = decodeSettlement(found.key, found.value)
			}
			if err == nil {
				err = b.fits(&c)
			}
			if c.fate == vanished {
				c.is.owner.missing = now // the grace begins now
			}
			if !yield(c, err) || err != nil {
				return
			}
		}
	}
}

func (b *DirectoryBatch) fits(c *settlement) error {
	return b.store.view(func(tx *bolt.Tx) error {
		look, err := b.lookIn(tx)
		if err != nil {
			return err
		}
		st, err := look.standing(c.key)
		if err != nil {
			return err
		}
		if string(st.contract) != string(c.before) || st.owned != c.was.owned || st.owner != c.was.owner {
			return fmt.Errorf("%w: account %s", ErrHeldChanged, c.key)
		}
		return nil
	})
}

// DropHeld forgets what is held; the next comparison finds it again, if the
// directory still says so.
func (s *Store) DropHeld(by By, source, id string) error {
	s.importing.Lock()
	defer s.importing.Unlock()
	err := s.update(func(tx *bolt.Tx) error {
		r, err := directoryIn(tx, source)
		if err == nil {
			err = r.holds(id)
		}
		if err != nil {
			return err
		}
		id := r.Held.ID
		r.Held = nil
		if err := putDirectory(tx, source, r); err != nil {
			return err
		}
		return s.audit(tx, Entry{By: by, Op: "sync.drop", Subject: source, Before: fmt.Appendf(nil, `{"id":%q}`, id)})
	})
	if err != nil {
		return fmt.Errorf("directory %s: %w", source, err)
	}
	return s.drainStrayGenerations()
}

// strayDirectoryBuckets are those that no directory names.
func strayDirectoryBuckets(tx *bolt.Tx) (stray [][]byte, err error) {
	directories := tx.Bucket(directoriesBucket)
	if directories == nil { // before its migration
		return nil, nil
	}
	used := map[string]bool{}
	err = directories.ForEach(func(source, _ []byte) error {
		r, err := directoryIn(tx, string(source))
		for _, name := range r.buckets() {
			used[string(name)] = true
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	c := tx.Cursor()
	for k, _ := c.Seek(directoryPrefix); len(k) >= len(directoryPrefix) && string(k[:len(directoryPrefix)]) == string(directoryPrefix); k, _ = c.Next() {
		if !used[string(k)] {
			stray = append(stray, slices.Clone(k))
		}
	}
	return stray, nil
}
