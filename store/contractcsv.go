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

// csvColumns are the columns of a contract file, in the order of an export.
var csvColumns = []string{"account", "course", "address", "area", "segment", "options", "status"}

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

// ReadContracts reads contracts from CSV: UTF-8 with or without a byte order
// mark, lines that end in LF or CRLF, a header line that names the columns
// account, course, address, area, segment, options and status in any order, of
// which only account and course must be there; options are separated by
// semicolons or blanks. Lines of blanks only are passed over.
//
// What is wrong with a line comes as *LineError in its place, more than one
// where a line has more, and reading goes on; name stands for the file in
// them. Without a usable header reading ends. Accounts are remembered to find
// duplicates: about 80 bytes each. The sequence can be ranged over once.
func ReadContracts(name string, r io.Reader) iter.Seq2[engine.Contract, error] {
	return func(yield func(engine.Contract, error) bool) {
		cr := &contractReader{lines: newLineReader(name, r), seen: map[string]int{}}
		cr.csv = csv.NewReader(cr.lines)
		cr.csv.FieldsPerRecord = -1 // counted here, to go on after an error
		cr.csv.ReuseRecord = true
		cr.read(yield)
	}
}

type contractReader struct {
	lines  *lineReader
	csv    *csv.Reader
	column map[string]int // name to place
	width  int            // fields in a line
	seen   map[string]int // folded account to line
}

func (cr *contractReader) read(yield func(engine.Contract, error) bool) {
	report := func(errs []error) (goOn bool) {
		for _, err := range errs {
			if err == io.EOF || !yield(engine.Contract{}, err) || !isLineError(err) {
				return false
			}
		}
		return true
	}
	if errs := cr.header(); len(errs) > 0 {
		report(errs)
		return
	}
	for {
		c, errs := cr.row()
		if !report(errs) || len(errs) == 0 && !yield(c, nil) {
			return
		}
	}
}

// isLineError tells an error of one line from the end of all reading.
func isLineError(err error) bool {
	var l *LineError
	return errors.As(err, &l)
}

// record reads the next line that is not blank, as fields.
func (cr *contractReader) record() ([]string, error) {
	if err := cr.lines.next(); err != nil {
		return nil, err
	}
	fields, err := cr.csv.Read()
	var syntax *csv.ParseError
	switch {
	case errors.As(err, &syntax) && errors.Is(err, csv.ErrQuote):
		return nil, cr.lines.errorAt(syntax.Column, "a quoted field must end on its line, before a comma")
	case errors.As(err, &syntax):
		return nil, cr.lines.errorAt(syntax.Column, syntax.Err.Error())
	case err != nil: // not io.EOF either: the line is not blank
		return nil, cr.lines.errorAt(0, err.Error())
	}
	return fields, nil
}

func (cr *contractReader) header() []error {
	names, err := cr.record()
	if err == io.EOF {
		return []error{&LineError{File: cr.lines.name, Line: 1,
			Message: "empty file: expected a header line such as " + strings.Join(csvColumns, ",")}}
	}
	if err != nil {
		return []error{err}
	}
	var errs []error
	cr.column, cr.width = map[string]int{}, len(names)
	for i, name := range names {
		name = engine.Fold(name)
		_, twice := cr.column[name]
		switch {
		case !slices.Contains(csvColumns, name):
			errs = append(errs, cr.errorIn(i, "unknown column %q: expected %s", names[i], strings.Join(csvColumns, ", ")))
		case twice:
			errs = append(errs, cr.errorIn(i, "column %q occurs more than once", name))
		}
		cr.column[name] = i
	}
	for _, name := range []string{"account", "course"} {
		if _, ok := cr.column[name]; !ok {
			errs = append(errs, cr.lines.errorAt(0, "no column "+name+" in the header line"))
		}
	}
	return errs
}

func (cr *contractReader) row() (engine.Contract, []error) {
	values, err := cr.record()
	if err != nil {
		return engine.Contract{}, []error{err}
	}
	if len(values) != cr.width {
		return engine.Contract{}, []error{cr.lines.errorAt(0,
			fmt.Sprintf("%d fields, while the header line has %d", len(values), cr.width))}
	}
	c, bad := tidy(cr.contract(values))
	var errs []error
	for _, f := range bad {
		errs = append(errs, cr.errorIn(cr.column[f.Field], "%s", f.Field+" "+f.Message))
	}
	if err := cr.duplicate(engine.Fold(c.Account)); err != nil {
		errs = append(errs, err)
	}
	return c, errs
}

// duplicate remembers an account and refuses it the second time.
func (cr *contractReader) duplicate(key string) error {
	if key == "" {
		return nil
	}
	if first, ok := cr.seen[key]; ok {
		return cr.errorIn(cr.column["account"], "account %q is on line %d already", key, first)
	}
	cr.seen[key] = cr.lines.line
	return nil
}

func (cr *contractReader) contract(values []string) engine.Contract {
	var c engine.Contract
	for _, f := range fields(&c) {
		if i, ok := cr.column[f.name]; ok {
			*f.value = values[i]
		}
	}
	if i, ok := cr.column["options"]; ok {
		c.Options = strings.FieldsFunc(values[i], separatesOptions)
	}
	return c
}

// errorIn points at a field of the record that was read last.
func (cr *contractReader) errorIn(field int, format string, args ...any) error {
	_, column := cr.csv.FieldPos(field)
	return cr.lines.errorAt(column, fmt.Sprintf(format, args...))
}
