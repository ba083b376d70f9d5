package store

import (
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"time"

	"github.com/fxamacker/cbor/v2"
	"github.com/oklog/ulid/v2"

	"sekisho/engine"
)

// overrideRow is how an override lies in the file; see contractRow. Times are
// nanoseconds since 1970, 0 for none.
type overrideRow struct {
	Account string         `cbor:"1,keyasint"`
	Kind    string         `cbor:"2,keyasint"`
	Action  string         `cbor:"3,keyasint"`
	Reason  string         `cbor:"4,keyasint"`
	Ticket  string         `cbor:"5,keyasint,omitempty"`
	Author  string         `cbor:"6,keyasint"`
	From    int64          `cbor:"7,keyasint,omitempty"`
	Until   int64          `cbor:"8,keyasint,omitempty"`
	Area    string         `cbor:"9,keyasint,omitempty"`
	NAS     string         `cbor:"10,keyasint,omitempty"`
	Key     string         `cbor:"11,keyasint,omitempty"`
	Created int64          `cbor:"12,keyasint"`
	Version int            `cbor:"13,keyasint"`
	Revoked *revocationRow `cbor:"14,keyasint,omitempty"`
	History []revisionRow  `cbor:"15,keyasint,omitempty"`
}

type revocationRow struct {
	At     int64  `cbor:"1,keyasint"`
	By     string `cbor:"2,keyasint"`
	Reason string `cbor:"3,keyasint,omitempty"`
}

type revisionRow struct {
	Version int    `cbor:"1,keyasint"`
	Until   int64  `cbor:"2,keyasint,omitempty"`
	At      int64  `cbor:"3,keyasint"`
	Author  string `cbor:"4,keyasint"`
	Reason  string `cbor:"5,keyasint,omitempty"`
}

func nanos(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixNano()
}

func fromNanos(n int64) time.Time {
	if n == 0 {
		return time.Time{}
	}
	return time.Unix(0, n).UTC()
}

func encodeOverride(o Override) ([]byte, error) {
	r := overrideRow{
		Account: o.Account, Kind: o.Kind, Action: o.Action, Reason: o.Reason, Ticket: o.Ticket, Author: o.Author,
		From: nanos(o.From), Until: nanos(o.Until), Area: o.Area, NAS: o.NAS, Key: o.Key,
		Created: nanos(o.Created), Version: o.Version, Revoked: o.Revoked.row(),
	}
	for _, h := range o.History {
		r.History = append(r.History, revisionRow{h.Version, nanos(h.Until), nanos(h.At), h.Author, h.Reason})
	}
	return cbor.Marshal(r)
}

func decodeOverride(id ulid.ULID, value []byte) (Override, error) {
	var r overrideRow
	if err := cbor.Unmarshal(value, &r); err != nil {
		return Override{}, fmt.Errorf("override %s: %w: %w", id, ErrDamaged, err)
	}
	o := Override{
		ID: id.String(), Account: r.Account, Kind: r.Kind, Action: r.Action, Reason: r.Reason, Ticket: r.Ticket, Author: r.Author,
		From: fromNanos(r.From), Until: fromNanos(r.Until), Area: r.Area, NAS: r.NAS, Key: r.Key,
		Created: fromNanos(r.Created), Version: r.Version, Revoked: r.Revoked.revocation(),
	}
	for _, h := range r.History {
		o.History = append(o.History, Revision{h.Version, fromNanos(h.Until), fromNanos(h.At), h.Author, h.Reason})
	}
	return o, nil
}

func (r *Revocation) row() *revocationRow {
	if r == nil {
		return nil
	}
	return &revocationRow{nanos(r.At), r.By, r.Reason}
}

func (r *revocationRow) revocation() *Revocation {
	if r == nil {
		return nil
	}
	return &Revocation{fromNanos(r.At), r.By, r.Reason}
}

// content is a digest of what a caller says of a new override, however it is
// spelled: not what the store and the connection add.
func (o *Override) content() [sha256.Size]byte {
	said := fmt.Sprintf("%q", []string{
		engine.Fold(o.Account), o.Kind, engine.Fold(o.Action), o.Reason, o.Ticket,
		fmt.Sprint(nanos(o.From), nanos(o.Until)), engine.Fold(o.Area), engine.Fold(o.NAS),
	})
	return sha256.Sum256([]byte(said))
}

// audited is an override as it stands in the audit, without its history, which
// the entries before tell.
func audited(o *Override) json.RawMessage {
	v := struct {
		ID      string    `json:"id"`
		Kind    string    `json:"kind"`
		Action  string    `json:"action"`
		Reason  string    `json:"reason"`
		Ticket  string    `json:"ticket,omitempty"`
		Author  string    `json:"author"`
		From    time.Time `json:"from,omitzero"`
		Until   time.Time `json:"until,omitzero"`
		Area    string    `json:"area,omitempty"`
		NAS     string    `json:"nas,omitempty"`
		Key     string    `json:"key,omitempty"`
		Version int       `json:"version"`
		Revoked time.Time `json:"revoked,omitzero"`
	}{o.ID, o.Kind, o.Action, o.Reason, o.Ticket, o.Author, o.From, o.Until, o.Area, o.NAS, o.Key, o.Version, time.Time{}}
	if o.Revoked != nil {
		v.Revoked = o.Revoked.At
	}
	text, _ := json.Marshal(v) // strings, numbers and times within years of four digits
	return text
}
