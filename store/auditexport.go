package store

import (
	"bufio"
	"bytes"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"time"
)

// entryJSON is an entry in an export: one object a line, keys in this order.
type entryJSON struct {
	Seq     uint64          `json:"seq"`
	At      time.Time       `json:"at"`
	Who     string          `json:"who"`
	From    string          `json:"from"`
	Why     string          `json:"why"`
	Op      string          `json:"op"`
	Subject string          `json:"subject"`
	Before  json.RawMessage `json:"before"`
	After   json.RawMessage `json:"after"`
	Prev    string          `json:"prev"`
	Hash    string          `json:"hash"`
}

// MarshalJSON gives the entry as it stands in an export, with all its keys.
func (e Entry) MarshalJSON() ([]byte, error) {
	return json.Marshal(entryJSON{
		Seq: e.Seq, At: e.At, Who: e.Who, From: e.From, Why: e.Why, Op: e.Op, Subject: e.Subject,
		Before: e.Before, After: e.After, Prev: hex.EncodeToString(e.Prev[:]), Hash: hex.EncodeToString(e.Hash[:]),
	})
}

// UnmarshalJSON reads what MarshalJSON writes. Whether the hash fits is for
// VerifyExport.
func (e *Entry) UnmarshalJSON(text []byte) error {
	var j entryJSON
	in := json.NewDecoder(bytes.NewReader(text))
	in.DisallowUnknownFields()
	if err := in.Decode(&j); err != nil {
		return err
	}
	if j.At.Before(firstTime.AddDate(-1, 0, 0)) || j.At.After(lastTime) {
		return fmt.Errorf("at: %s is no time of an entry", stamp(j.At))
	}
	*e = Entry{Seq: j.Seq, At: j.At.UTC(), By: By{j.Who, j.From, j.Why}, Op: j.Op, Subject: j.Subject}
	var errs [4]error
	e.Before, errs[0] = canonicalJSON(j.Before)
	e.After, errs[1] = canonicalJSON(j.After)
	errs[2] = readHash("prev", j.Prev, &e.Prev)
	errs[3] = readHash("hash", j.Hash, &e.Hash)
	return errors.Join(errs[:]...)
}

func readHash(name, text string, hash *[32]byte) error {
	b, err := hex.DecodeString(text)
	if err != nil || len(b) != len(hash) {
		return fmt.Errorf("%s: expected %d hexadecimal digits, got %q", name, 2*len(hash), text)
	}
	copy(hash[:], b)
	return nil
}

// WriteAudit writes entries as VerifyExport reads them: a JSON object a line. It
// ends at the first error of the sequence or of w.
func WriteAudit(w io.Writer, entries iter.Seq2[Entry, error]) error {
	out := bufio.NewWriter(w)
	for e, err := range entries {
		if err == nil {
			var line []byte
			line, err = e.MarshalJSON()
			_, _ = out.Write(append(line, '\n')) // Flush has the error
		}
		if err != nil {
			return fmt.Errorf("writing the audit: %w", err)
		}
	}
	return out.Flush()
}

// maxAuditLine is the longest line of an export: an entry of an import with a
// thousand changes is less than half of it.
const maxAuditLine = 32 << 20

// VerifyExport checks an export, without the store: that every entry has the
// hash of its content and follows the one before. It may begin anywhere, as a
// part of a trail does; First and Head of the report say what it covers: compare
// Head with the one that VerifyAudit tells, or with a note of it. What was
// filtered out is reported as missing. The error is that of reading.
func VerifyExport(r io.Reader) (AuditReport, error) {
	var v verifier
	lines := bufio.NewScanner(r)
	lines.Buffer(make([]byte, 64<<10), maxAuditLine)
	for n := 1; lines.Scan(); n++ {
		if text := bytes.TrimSpace(lines.Bytes()); len(text) > 0 {
			v.line(n, text)
		}
	}
	if err := lines.Err(); err != nil {
		return v.AuditReport, fmt.Errorf("verifying an export of the audit: after entry %d: %w", v.Last, err)
	}
	return v.AuditReport, nil
}

// line takes a line of an export. It must be what WriteAudit makes of the entry
// that it says, but for blanks and escapes: no second value for a key may hide
// in it.
func (v *verifier) line(n int, text []byte) {
	var e Entry
	if err := json.Unmarshal(text, &e); err != nil {
		v.Entries++
		v.unknown = true
		v.fault(v.Last+1, AuditDamaged, "line %d: %v", n, err)
		return
	}
	v.entry(e.Seq, e, nil)
	is, err1 := canonicalJSON(text)
	want, err2 := e.MarshalJSON()
	if err1 != nil || err2 != nil || !bytes.Equal(is, want) {
		v.fault(e.Seq, AuditEdited, "line %d is not as it was exported", n)
	}
}
