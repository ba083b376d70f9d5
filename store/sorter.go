package store

import (
	"bufio"
	"bytes"
	"cmp"
	"container/heap"
	"encoding/binary"
	"fmt"
	"io"
	"iter"
	"os"
	"slices"
)

// sortMemory is about how many bytes a sorter holds before it writes a run.
const sortMemory = 64 << 20

// stagedRow is a row of an import with the place that it came from.
type stagedRow struct {
	row
	line int
}

// sorter brings any number of rows into key order with bounded memory: full
// buffers are sorted and written to a file, a run, and the runs are merged
// whenever the rows are read.
type sorter struct {
	dir   string // where the runs go
	limit int    // sortMemory, or less in tests
	rows  []stagedRow
	mem   arena
	size  int
	runs  []*os.File
	n     int
}

// add takes a row; it copies key and value.
func (s *sorter) add(key, value []byte, line int) error {
	s.rows = append(s.rows, stagedRow{row{s.mem.keep(key), s.mem.keep(value)}, line})
	s.n++
	const header = 64 // of a stagedRow, roughly
	if s.size += len(key) + len(value) + header; s.size < s.limit {
		return nil
	}
	return s.spill()
}

func (s *sorter) sort() {
	slices.SortFunc(s.rows, compareStaged)
}

// compareStaged puts the rows of one key in the order of their lines.
func compareStaged(a, b stagedRow) int {
	return cmp.Or(bytes.Compare(a.key, b.key), cmp.Compare(a.line, b.line))
}

// spill writes the rows in memory to a file that has no name any more, so that
// not even a crash leaves it behind.
func (s *sorter) spill() error {
	f, err := os.CreateTemp(s.dir, ".sekisho-import-")
	if err != nil {
		return err
	}
	s.runs = append(s.runs, f)
	if err := os.Remove(f.Name()); err != nil {
		return err
	}
	s.sort()
	if err := writeRun(f, s.rows); err != nil {
		return err
	}
	clear(s.rows)
	s.rows, s.mem, s.size = s.rows[:0], arena{}, 0
	return nil
}

func writeRun(w io.Writer, rows []stagedRow) error {
	out := bufio.NewWriterSize(w, 1<<20)
	var text []byte
	for _, r := range rows {
		text = binary.AppendUvarint(text[:0], uint64(len(r.key)))
		text = binary.AppendUvarint(text, uint64(len(r.value)))
		text = binary.AppendUvarint(text, uint64(r.line))
		text = append(append(text, r.key...), r.value...)
		if _, err := out.Write(text); err != nil {
			return err
		}
	}
	return out.Flush()
}

// finish ends the adding.
func (s *sorter) finish() error {
	if len(s.runs) > 0 {
		return s.spill()
	}
	s.sort()
	return nil
}

// close gives back memory and disk.
func (s *sorter) close() {
	for _, f := range s.runs {
		_ = f.Close()
	}
	s.runs, s.rows = nil, nil
}

// all gives the rows in key order; it can be ranged over again and again. A row
// stays as it is.
func (s *sorter) all() iter.Seq2[stagedRow, error] {
	if len(s.runs) > 0 {
		return s.merged()
	}
	return func(yield func(stagedRow, error) bool) {
		for _, r := range s.rows {
			if !yield(r, nil) {
				return
			}
		}
	}
}

func (s *sorter) merged() iter.Seq2[stagedRow, error] {
	return func(yield func(stagedRow, error) bool) {
		var heads runHeap
		for _, f := range s.runs {
			r := &runReader{in: bufio.NewReaderSize(io.NewSectionReader(f, 0, 1<<62), 256<<10)}
			if err := heads.push(r); err != nil {
				yield(stagedRow{}, err)
				return
			}
		}
		heap.Init(&heads)
		for len(heads) > 0 {
			if !yield(heads[0].head, nil) {
				return
			}
			if err := heads.advance(); err != nil {
				yield(stagedRow{}, err)
				return
			}
		}
	}
}

// runReader reads a run.
type runReader struct {
	in   *bufio.Reader
	head stagedRow
	mem  arena
}

// next reads the next row into head; io.EOF after the last one.
func (r *runReader) next() error {
	keyLen, err := binary.ReadUvarint(r.in)
	if err != nil {
		return err // io.EOF between rows only
	}
	valueLen, err1 := binary.ReadUvarint(r.in)
	line, err2 := binary.ReadUvarint(r.in)
	if err1 != nil || err2 != nil {
		return fmt.Errorf("reading staged rows: %w", io.ErrUnexpectedEOF)
	}
	text := r.mem.take(int(keyLen + valueLen))
	if _, err := io.ReadFull(r.in, text); err != nil {
		return fmt.Errorf("reading staged rows: %w", err)
	}
	r.head = stagedRow{row{text[:keyLen:keyLen], text[keyLen:]}, int(line)}
	return nil
}

// runHeap has the run with the least row first.
type runHeap []*runReader

func (h runHeap) Len() int           { return len(h) }
func (h runHeap) Less(i, j int) bool { return compareStaged(h[i].head, h[j].head) < 0 }
func (h runHeap) Swap(i, j int)      { h[i], h[j] = h[j], h[i] }

// Push is not used: see push.
func (h *runHeap) Push(any) {}

// Pop takes the last run out.
func (h *runHeap) Pop() any {
	*h = (*h)[:len(*h)-1]
	return nil
}

func (h *runHeap) push(r *runReader) error {
	err := r.next()
	if err == nil {
		*h = append(*h, r)
	}
	if err == io.EOF {
		return nil
	}
	return err
}

// advance goes on in the run whose row was first.
func (h *runHeap) advance() error {
	switch err := (*h)[0].next(); err {
	case nil:
		heap.Fix(h, 0)
	case io.EOF:
		heap.Pop(h)
	default:
		return err
	}
	return nil
}

// arena packs the bytes of millions of rows into few blocks, so that they cost
// neither an allocation nor the garbage collector's attention each.
type arena struct{ block []byte }

func (a *arena) keep(b []byte) []byte {
	kept := a.take(len(b))
	copy(kept, b)
	return kept
}

func (a *arena) take(n int) []byte {
	const block = 64 << 10
	if cap(a.block)-len(a.block) < n {
		a.block = make([]byte, 0, max(n, block))
	}
	at := len(a.block)
	a.block = a.block[:at+n]
	return a.block[at : at+n : at+n]
}
