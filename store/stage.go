package store

import (
	"bytes"
	"context"
	"fmt"
	"iter"
	"slices"
	"strings"

	"sekisho/engine"
)

// maxImportErrors is how many errors an import collects before it gives up.
const maxImportErrors = 100

// ImportError holds all that is wrong with the rows of an import, at most 100
// errors; those of a CSV file are *LineError.
type ImportError struct {
	Errs []error
	More bool // there were more than 100; the rest of the rows was not looked at
}

// Error gives one line per error.
func (e *ImportError) Error() string {
	var b strings.Builder
	for i, err := range e.Errs {
		if i > 0 {
			b.WriteByte('\n')
		}
		b.WriteString(err.Error())
	}
	if e.More {
		fmt.Fprintf(&b, "\nmore than %d errors, giving up", len(e.Errs))
	}
	return b.String()
}

// Unwrap gives the errors to package errors.
func (e *ImportError) Unwrap() []error { return e.Errs }

// add keeps err and tells whether there is room for another one.
func (e *ImportError) add(err error) bool {
	if len(e.Errs) == maxImportErrors {
		e.More = true
		return false
	}
	e.Errs = append(e.Errs, err)
	return true
}

// stage reads all rows, checks them and sorts them by key.
func stage(ctx context.Context, contracts iter.Seq2[engine.Contract, error]) ([]row, error) {
	var rows []row
	var mem arena
	var bad ImportError
	for c, err := range contracts {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		var r row
		if err == nil {
			r, err = mem.row(c)
		}
		if err != nil {
			if !bad.add(err) {
				break
			}
			continue
		}
		if len(bad.Errs) == 0 {
			rows = append(rows, r)
		}
	}
	if len(bad.Errs) == 0 {
		rows = sortRows(rows, &bad)
	}
	if len(bad.Errs) > 0 {
		return nil, &bad
	}
	return rows, nil
}

// sortRows sorts by key; an account that occurs twice is an error, for which
// of the two is right is not ours to guess.
func sortRows(rows []row, bad *ImportError) []row {
	slices.SortFunc(rows, func(a, b row) int { return bytes.Compare(a.key, b.key) })
	for i := 1; i < len(rows); i++ {
		if bytes.Equal(rows[i-1].key, rows[i].key) &&
			!bad.add(fmt.Errorf("account %s occurs more than once", rows[i].key)) {
			break
		}
	}
	return rows
}

// arena packs the bytes of millions of rows into few blocks, so that they cost
// neither an allocation nor the garbage collector's attention each.
type arena struct{ block []byte }

func (a *arena) row(c engine.Contract) (row, error) {
	c, problems := tidy(c)
	if len(problems) > 0 {
		return row{}, fmt.Errorf("contract %q: %w", c.Account, problems)
	}
	key := engine.Fold(c.Account)
	value, err := encodeContract(key, c)
	if err != nil {
		return row{}, fmt.Errorf("contract %q: %w", c.Account, err)
	}
	return row{a.keep([]byte(key)), a.keep(value)}, nil
}

func (a *arena) keep(b []byte) []byte {
	if cap(a.block)-len(a.block) < len(b) {
		a.block = make([]byte, 0, max(len(b), 1<<20))
	}
	at := len(a.block)
	a.block = append(a.block, b...)
	return a.block[at:len(a.block):len(a.block)]
}
