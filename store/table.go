package store

import (
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"iter"
	"slices"
	"strings"

	"sekisho/engine"
)

// LineError is something wrong in one place of a file.
type LineError struct {
	File    string // as the reader was told
	Line    int    // from 1
	Column  int    // from 1, in characters; 0 where the whole line is meant
	Message string
}

// Error is FILE:LINE:COLUMN: MESSAGE, as editors understand it.
func (e *LineError) Error() string { return e.Where() + ": " + e.Message }

// Where is FILE:LINE:COLUMN, without the column where the whole line is meant.
func (e *LineError) Where() string {
	if e.Column == 0 {
		return fmt.Sprintf("%s:%d", e.File, e.Line)
	}
	return fmt.Sprintf("%s:%d:%d", e.File, e.Line, e.Column)
}

// table reads CSV: UTF-8 with or without a byte order mark, lines that end in
// LF or CRLF, a header line that names columns in any order. Lines of blanks
// only are passed over.
type table struct {
	lines    *lineReader
	csv      *csv.Reader
	columns  []string       // that there may be
	required []string       // of these
	column   map[string]int // name to place
	width    int            // fields in a line
	values   []string       // of the line that was read last
}

func newTable(name string, r io.Reader, columns, required []string) *table {
	t := &table{lines: newLineReader(name, r), columns: columns, required: required}
	t.csv = csv.NewReader(t.lines)
	t.csv.FieldsPerRecord = -1 // counted here, to go on after an error
	t.csv.ReuseRecord = true
	return t
}

// readTable gives what read makes of every line, or all that is wrong with it:
// a *LineError concerns its line only, and reading goes on.
func readTable[T any](t *table, read func() (T, []error)) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		var none T
		report := func(errs []error) (goOn bool) {
			for _, err := range errs {
				if err == io.EOF || !yield(none, err) || !isLineError(err) {
					return false
				}
			}
			return true
		}
		if errs := t.header(); len(errs) > 0 {
			report(errs)
			return
		}
		for {
			v, errs := none, t.next()
			if len(errs) == 0 {
				v, errs = read()
			}
			if !report(errs) || len(errs) == 0 && !yield(v, nil) {
				return
			}
		}
	}
}

// isLineError tells an error of one line from the end of all reading.
func isLineError(err error) bool {
	var l *LineError
	return errors.As(err, &l)
}

// record reads the next line that is not blank, as fields.
func (t *table) record() ([]string, error) {
	if err := t.lines.next(); err != nil {
		return nil, err
	}
	fields, err := t.csv.Read()
	var syntax *csv.ParseError
	switch {
	case errors.As(err, &syntax) && errors.Is(err, csv.ErrQuote):
		return nil, t.lines.errorAt(syntax.Column, "a quoted field must end on its line, before a comma")
	case errors.As(err, &syntax):
		return nil, t.lines.errorAt(syntax.Column, syntax.Err.Error())
	case err != nil: // not io.EOF either: the line is not blank
		return nil, t.lines.errorAt(0, err.Error())
	}
	return fields, nil
}

func (t *table) header() []error {
	names, err := t.record()
	if err == io.EOF {
		return []error{&LineError{File: t.lines.name, Line: 1,
			Message: "empty file: expected a header line such as " + strings.Join(t.columns, ",")}}
	}
	if err != nil {
		return []error{err}
	}
	var errs []error
	t.column, t.width = map[string]int{}, len(names)
	for i, name := range names {
		name = engine.Fold(name)
		_, twice := t.column[name]
		switch {
		case !slices.Contains(t.columns, name):
			errs = append(errs, t.errorIn(i, "unknown column %q: expected %s", names[i], strings.Join(t.columns, ", ")))
		case twice:
			errs = append(errs, t.errorIn(i, "column %q occurs more than once", name))
		}
		t.column[name] = i
	}
	for _, name := range t.required {
		if _, ok := t.column[name]; !ok {
			errs = append(errs, t.lines.errorAt(0, "no column "+name+" in the header line"))
		}
	}
	return errs
}

// next goes to the next line.
func (t *table) next() []error {
	var err error
	if t.values, err = t.record(); err != nil {
		return []error{err}
	}
	if len(t.values) != t.width {
		return []error{t.lines.errorAt(0, fmt.Sprintf("%d fields, while the header line has %d", len(t.values), t.width))}
	}
	return nil
}

// value is the text in a column of this line, empty where there is none.
func (t *table) value(column string) string {
	if i, ok := t.column[column]; ok {
		return t.values[i]
	}
	return ""
}

// errors points at the columns of this line.
func (t *table) errors(bad FieldErrors) []error {
	var errs []error
	for _, f := range bad {
		errs = append(errs, t.errorAt(f.Field, f.Field+" "+f.Message))
	}
	return errs
}

// errorAt points at a column of this line, or at the line where it has none.
func (t *table) errorAt(column, message string) error {
	if i, ok := t.column[column]; ok {
		return t.errorIn(i, "%s", message)
	}
	return t.lines.errorAt(0, message)
}

// errorIn points at a field of the record that was read last.
func (t *table) errorIn(field int, format string, args ...any) error {
	_, column := t.csv.FieldPos(field)
	return t.lines.errorAt(column, fmt.Sprintf(format, args...))
}
