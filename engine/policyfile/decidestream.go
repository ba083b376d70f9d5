package policyfile

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"

	"sekisho/engine"
)

// maxLine bounds one line of facts; a real one has a few hundred octets.
const maxLine = 1 << 20

// answer is one line of output; every key is always there.
type answer struct {
	Action  string  `json:"action"`
	Rule    string  `json:"rule"`
	Until   *string `json:"until"` // RFC 3339 in UTC; null for never
	Account string  `json:"account"`
}

// DecideStream reads one JSON object of facts per line and writes one decision per line, in the same order. Facts
// without "at" are decided for now. It holds one line in memory. The first line that cannot be read ends it, with an
// error that names line and key; the decisions of the lines before it have been written. Blank lines are passed over.
func DecideStream(p *engine.Policy, in io.Reader, out io.Writer, now time.Time) error {
	w := bufio.NewWriter(out)
	encode := json.NewEncoder(w)
	encode.SetEscapeHTML(false)
	lines := bufio.NewScanner(promptly{in, w})
	lines.Buffer(make([]byte, 0, 64<<10), maxLine)
	n := 0
	for lines.Scan() {
		n++
		if len(bytes.TrimSpace(lines.Bytes())) == 0 {
			continue
		}
		a, err := decideLine(p, lines.Bytes(), now)
		if err != nil {
			return errors.Join(w.Flush(), fmt.Errorf("line %d: %w", n, err))
		}
		if err := encode.Encode(a); err != nil {
			return fmt.Errorf("writing the decision of line %d: %w", n, err)
		}
	}
	if err := w.Flush(); err != nil {
		return fmt.Errorf("writing decisions: %w", err)
	}
	if err := lines.Err(); err != nil {
		return fmt.Errorf("line %d: %w", n+1, err)
	}
	return nil
}

// promptly writes out what has been decided before it waits for more facts: a program at the other end of both pipes
// may wait for the answer before it asks again.
type promptly struct {
	io.Reader
	decided *bufio.Writer
}

func (p promptly) Read(b []byte) (int, error) {
	if err := p.decided.Flush(); err != nil {
		return 0, fmt.Errorf("writing decisions: %w", err)
	}
	return p.Reader.Read(b)
}

func decideLine(p *engine.Policy, line []byte, now time.Time) (answer, error) {
	f, at, err := ReadFacts(p, line, now)
	if err != nil {
		return answer{}, err
	}
	d := engine.Decide(p, &f, at)
	a := answer{Action: d.Action, Rule: d.Rule, Account: f.Login.Account}
	if !d.Until.IsZero() {
		until := d.Until.UTC().Format(time.RFC3339Nano)
		a.Until = &until
	}
	return a, nil
}
