package store

import (
	"context"
	"fmt"
	"iter"
	"path/filepath"
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

// orNil is e as an error, nil where nothing is wrong.
func (e *ImportError) orNil() error {
	if len(e.Errs) == 0 {
		return nil
	}
	return e
}

// placed is a row of an import with where it came from.
type placed[T any] struct {
	value T
	file  string // empty: line is the number of the row
	line  int
}

// inOrder gives rows their numbers, from 1.
func inOrder[T any](rows iter.Seq2[T, error]) iter.Seq2[placed[T], error] {
	return func(yield func(placed[T], error) bool) {
		n := 0
		for v, err := range rows {
			n++
			if !yield(placed[T]{value: v, line: n}, err) {
				return
			}
		}
	}
}

// stage reads all rows, checks them and sorts them by key.
func (s *Store) stage(ctx context.Context, contracts iter.Seq2[placed[engine.Contract], error]) (*sorter, error) {
	sorted := &sorter{dir: filepath.Dir(s.path), limit: s.sortMemory}
	var bad ImportError
	for p, err := range contracts {
		if err := ctx.Err(); err != nil {
			return sorted, err
		}
		var r row
		if err == nil {
			r, err = contractAsRow(p.value)
		}
		if err != nil {
			if !bad.add(err) {
				break
			}
			continue
		}
		if len(bad.Errs) > 0 {
			continue
		}
		if err := sorted.add(r.key, r.value, p.line); err != nil {
			return sorted, err
		}
	}
	if err := bad.orNil(); err != nil {
		return sorted, err
	}
	return sorted, sorted.finish()
}

func contractAsRow(c engine.Contract) (row, error) {
	c, problems := tidy(c)
	if len(problems) > 0 {
		return row{}, fmt.Errorf("contract %q: %w", c.Account, problems)
	}
	key := engine.Fold(c.Account)
	value, err := encodeContract(key, c)
	if err != nil {
		return row{}, fmt.Errorf("contract %q: %w", c.Account, err)
	}
	return row{[]byte(key), value}, nil
}
