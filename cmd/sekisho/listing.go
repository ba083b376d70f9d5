package main

import (
	"bufio"
	"encoding/csv"
	"encoding/json"
	"io"
	"iter"

	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/jedib0t/go-pretty/v6/text"
	"github.com/urfave/cli/v2"
)

// sequence is what the daemon lists; an error is its last element.
type sequence[T any] = iter.Seq2[T, error]

// listing is how things of one kind are listed in the four formats. All but
// the table write while they read, so that millions need no memory.
type listing[T any] struct {
	columns []string
	cells   func(T) []string                   // in the order of columns
	record  func(T) []string                   // of csv; nil: cells
	csv     func(io.Writer, sequence[T]) error // nil: the columns and records
	json    func(T) any                        // nil: the thing itself
}

// listFlag lets a verb list in every format.
func listFlag() cli.Flag { return outputFlag("table", "json", "csv", "ndjson") }

// write lists things in the format that listFlag was given.
func (l listing[T]) write(c *cli.Context, things sequence[T]) error {
	out := bufio.NewWriter(c.App.Writer)
	if err := l.writer(c.String("output"))(out, things); err != nil {
		_ = out.Flush() // what came before the error is right
		return err
	}
	return out.Flush()
}

func (l listing[T]) writer(format string) func(io.Writer, sequence[T]) error {
	switch {
	case format == "json":
		return l.array
	case format == "ndjson":
		return l.lines
	case format == "csv" && l.csv != nil:
		return l.csv
	case format == "csv":
		return l.records
	}
	return l.table
}

// tableRows is how many rows of a table are laid out together: the columns of
// those that follow are as wide, or wider where they must be. A table of a
// million rows needs no more memory than one of these, and begins at once.
const tableRows = 10_000

func (l listing[T]) table(w io.Writer, things sequence[T]) error {
	p := pieces{w: w, columns: l.columns, widths: make([]int, len(l.columns))}
	for thing, err := range things {
		if err != nil {
			return err
		}
		row := l.cells(thing)
		for i := range row {
			row[i] = printable(row[i])
		}
		if p.rows = append(p.rows, row); len(p.rows) == tableRows {
			if err := p.write(); err != nil {
				return err
			}
		}
	}
	return p.end()
}

// pieces are a table in the writing.
type pieces struct {
	w       io.Writer
	columns []string
	widths  []int // of the columns so far
	rows    [][]string
	written bool // the header was
}

// write writes the rows that are waiting.
func (p *pieces) write() error {
	t := plainTable(p.columns)
	if p.written {
		t.ResetHeaders()
	}
	for _, row := range p.rows {
		for i, cell := range row {
			p.widths[i] = max(p.widths[i], text.StringWidthWithoutEscSequences(cell))
		}
		t.AppendRow(cells(row))
	}
	var columns []table.ColumnConfig
	for i, width := range p.widths {
		columns = append(columns, table.ColumnConfig{Number: i + 1, WidthMin: max(width, len(p.columns[i]))})
	}
	t.SetColumnConfigs(columns)
	p.rows, p.written = p.rows[:0], true
	_, err := io.WriteString(p.w, t.Render()+"\n")
	return err
}

// end writes what is left; of a table without rows the header.
func (p *pieces) end() error {
	if p.written && len(p.rows) == 0 {
		return nil
	}
	return p.write()
}

func (l listing[T]) records(w io.Writer, things sequence[T]) error {
	record := l.record
	if record == nil {
		record = l.cells
	}
	out := csv.NewWriter(w)
	_ = out.Write(l.columns) // the writer keeps its first error until the end
	for thing, err := range things {
		if err != nil {
			out.Flush()
			return err
		}
		_ = out.Write(record(thing))
	}
	out.Flush()
	return out.Error()
}

func (l listing[T]) value(thing T) any {
	if l.json == nil {
		return thing
	}
	return l.json(thing)
}

func (l listing[T]) lines(w io.Writer, things sequence[T]) error {
	lines := json.NewEncoder(w)
	lines.SetEscapeHTML(false)
	for thing, err := range things {
		if err != nil {
			return err
		}
		if err := lines.Encode(l.value(thing)); err != nil {
			return err
		}
	}
	return nil
}

func (l listing[T]) array(w io.Writer, things sequence[T]) error {
	before := "[\n"
	for thing, err := range things {
		if err != nil {
			return err
		}
		element, err := json.Marshal(l.value(thing))
		if err != nil {
			return err
		}
		if _, err := io.WriteString(w, before+string(element)); err != nil {
			return err
		}
		before = ",\n"
	}
	end := "\n]\n"
	if before == "[\n" {
		end = "[]\n"
	}
	_, err := io.WriteString(w, end)
	return err
}

// plainTable leaves the width of Japanese text to the library.
func plainTable(columns []string) table.Writer {
	t := table.NewWriter()
	style := table.StyleDefault
	style.Options = table.OptionsNoBordersAndSeparators
	style.Box.PaddingLeft, style.Box.PaddingRight = "", "  "
	t.SetStyle(style)
	t.SuppressTrailingSpaces()
	t.AppendHeader(cells(columns))
	return t
}

func cells(texts []string) table.Row {
	row := make(table.Row, len(texts))
	for i, text := range texts {
		row[i] = text
	}
	return row
}
