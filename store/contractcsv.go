package store

import (
	"fmt"
	"io"
	"iter"
	"strings"

	"sekisho/engine"
)

// csvColumns are the columns of a contract file, in the order of an export.
var csvColumns = []string{"account", "course", "address", "area", "segment", "options", "status"}

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
	cr := &contractReader{table: newTable(name, r, csvColumns, csvColumns[:2]), seen: map[string]int{}}
	return readTable(cr.table, cr.row)
}

// readContractLines is ReadContracts with lines, and without a look at duplicates.
func readContractLines(name string, r io.Reader) iter.Seq2[placed[engine.Contract], error] {
	cr := &contractReader{table: newTable(name, r, csvColumns, csvColumns[:2])}
	return readTable(cr.table, func() (placed[engine.Contract], []error) {
		c, bad := tidy(cr.contract())
		return placed[engine.Contract]{c, name, cr.lines.line}, cr.errors(bad)
	})
}

type contractReader struct {
	*table
	seen map[string]int // folded account to line
}

func (cr *contractReader) row() (engine.Contract, []error) {
	c, bad := tidy(cr.contract())
	errs := cr.errors(bad)
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
		return cr.errorAt("account", fmt.Sprintf("account %q is on line %d already", key, first))
	}
	cr.seen[key] = cr.lines.line
	return nil
}

func (cr *contractReader) contract() engine.Contract {
	var c engine.Contract
	for _, f := range fields(&c) {
		*f.value = cr.value(f.name)
	}
	c.Options = strings.FieldsFunc(cr.value("options"), separatesOptions)
	return c
}
