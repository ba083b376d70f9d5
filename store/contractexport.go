package store

import (
	"encoding/csv"
	"fmt"
	"io"
	"iter"
	"strings"

	"sekisho/engine"
)

// WriteContracts writes contracts as the CSV that ReadContracts reads, all
// columns, in UTF-8 without a byte order mark. It ends at the first error of
// the sequence or of w, or at a contract that could not be read back.
func WriteContracts(w io.Writer, contracts iter.Seq2[engine.Contract, error]) error {
	cw := csv.NewWriter(w)
	if err := cw.Write(csvColumns); err != nil {
		return fmt.Errorf("writing contracts: %w", err)
	}
	for c, err := range contracts {
		if err != nil {
			return fmt.Errorf("writing contracts: %w", err)
		}
		if err := writeContract(cw, c); err != nil {
			return fmt.Errorf("writing contract %q: %w", c.Account, err)
		}
	}
	cw.Flush()
	return cw.Error()
}

func writeContract(w *csv.Writer, c engine.Contract) error {
	c, bad := tidy(c)
	if len(bad) > 0 {
		return bad
	}
	return w.Write([]string{c.Account, c.Course, c.Address, c.Area, c.Segment, strings.Join(c.Options, ";"), c.Status})
}
