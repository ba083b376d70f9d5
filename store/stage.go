package store

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"iter"
	"path/filepath"
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

// orNil is e as an error, nil where nothing is wrong.
func (e *ImportError) orNil() error {
	if len(e.Errs) == 0 {
		return nil
	}
	return e
}

// inOrder is orNil with the errors in the order of their lines.
func (e *ImportError) inOrder() error {
	slices.SortStableFunc(e.Errs, func(a, b error) int {
		var lineA, lineB *LineError
		if errors.As(a, &lineA) && errors.As(b, &lineB) {
			return lineA.Line - lineB.Line
		}
		return 0
	})
	return e.orNil()
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

// stage reads all rows, checks them and sorts them by key. Where they are in
// order, accounts that occur twice are still to be found.
func (s *Store) stage(ctx context.Context, file string, contracts iter.Seq2[placed[engine.Contract], error]) (*sorter, error) {
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
		if err := sorted.add(r.key, r.value, p.line); err != nil {
			return sorted, err
		}
	}
	if err := sorted.finish(); err != nil {
		return sorted, err
	}
	if len(bad.Errs) > 0 && !bad.More {
		for _, err := range once(sorted, file, &bad) {
			if err != nil {
				return sorted, err
			}
		}
	}
	return sorted, bad.inOrder()
}

// once gives the rows in key order, without those whose account came before:
// they are errors, for which of the two is right is not ours to guess. Where
// there are too many of them, the sequence ends with all.
func once(sorted *sorter, file string, twice *ImportError) iter.Seq2[row, error] {
	return func(yield func(row, error) bool) {
		var last stagedRow
		for r, err := range sorted.all() {
			if err == nil && bytes.Equal(r.key, last.key) {
				if !twice.add(occursTwice(file, last, r)) {
					yield(row{}, twice.inOrder())
					return
				}
				continue
			}
			if last = r; !yield(r.row, err) {
				return
			}
		}
	}
}

func occursTwice(file string, first, second stagedRow) error {
	if file != "" {
		return &LineError{File: file, Line: second.line, Message: fmt.Sprintf("account %q is on line %d already", second.key, first.line)}
	}
	return fmt.Errorf("account %s occurs more than once, in rows %d and %d", second.key, first.line, second.line)
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
