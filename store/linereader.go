package store

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"unicode/utf8"
)

// maxLine is the longest line of a contract file, in bytes. No field may hold
// a line break, so a quote that is never closed costs a line, not the rest of
// the file, nor the memory for it.
const maxLine = 64 << 10

// lineReader feeds a csv.Reader with one line per record and knows where that
// line stands. It refuses what is not UTF-8.
type lineReader struct {
	name   string
	in     *bufio.Reader
	line   int    // number of the current line, from 1
	text   []byte // the current line, as far as it is UTF-8
	unread []byte // what the csv.Reader has not fetched of it yet
	alien  int    // lines that were not UTF-8
}

func newLineReader(name string, r io.Reader) *lineReader {
	return &lineReader{name: name, in: bufio.NewReaderSize(r, maxLine)}
}

// Read gives the rest of the current line and then io.EOF.
func (l *lineReader) Read(p []byte) (int, error) {
	if len(l.unread) == 0 {
		return 0, io.EOF
	}
	n := copy(p, l.unread)
	l.unread = l.unread[n:]
	return n, nil
}

// next goes to the next line that is not blank. A *LineError concerns this
// line only; any other error ends the file.
func (l *lineReader) next() error {
	for {
		text, err := l.fetch()
		if err != nil {
			return err
		}
		if l.line == 1 {
			text = bytes.TrimPrefix(text, []byte("\uFEFF"))
		}
		if err := l.refuseAlien(text); err != nil {
			return err
		}
		if len(bytes.TrimSpace(text)) > 0 && utf8.Valid(text) {
			l.text, l.unread = text, text
			return nil
		}
	}
}

// fetch reads one line with its end.
func (l *lineReader) fetch() ([]byte, error) {
	text, err := l.in.ReadSlice('\n')
	switch {
	case err == nil, errors.Is(err, io.EOF) && len(text) > 0:
		l.line++
		return text, nil
	case errors.Is(err, bufio.ErrBufferFull):
		l.line++
		return nil, errors.Join(l.errorAt(0, fmt.Sprintf("the line is longer than %d bytes", maxLine)), l.skip())
	case errors.Is(err, io.EOF):
		return nil, l.end()
	}
	return nil, fmt.Errorf("reading %s after line %d: %w", l.name, l.line, err)
}

// skip passes over the rest of a line.
func (l *lineReader) skip() error {
	for {
		_, err := l.in.ReadSlice('\n')
		switch {
		case err == nil, errors.Is(err, io.EOF):
			return nil
		case !errors.Is(err, bufio.ErrBufferFull):
			return fmt.Errorf("reading %s after line %d: %w", l.name, l.line, err)
		}
	}
}

// refuseAlien reports the first line that is not UTF-8 with its place and a way
// out, and the others by their number at the end: it is nearly always the whole
// file, and a hundred times the same error would hide the others.
func (l *lineReader) refuseAlien(text []byte) error {
	if utf8.Valid(text) {
		return nil
	}
	l.alien++
	if l.alien > 1 {
		return nil
	}
	at := validPrefix(text)
	l.text = text[:at]
	return l.errorAt(at+1, fmt.Sprintf("expected UTF-8, found the byte 0x%02X; a Shift_JIS file is converted by: iconv -f CP932 -t UTF-8", text[at]))
}

func validPrefix(text []byte) int {
	for i := 0; i < len(text); {
		r, size := utf8.DecodeRune(text[i:])
		if r == utf8.RuneError && size == 1 {
			return i
		}
		i += size
	}
	return len(text)
}

// end is the error at the end of the file: io.EOF, after a word on what was
// passed over.
func (l *lineReader) end() error {
	if more := l.alien - 1; more > 0 {
		l.alien = 0
		return l.errorAt(0, fmt.Sprintf("expected UTF-8 in %d more lines up to here", more))
	}
	return io.EOF
}

// errorAt makes an error at a column given in bytes, 0 for the whole line.
func (l *lineReader) errorAt(column int, message string) error {
	if column > 0 {
		column = utf8.RuneCount(l.text[:min(column-1, len(l.text))]) + 1
	}
	return &LineError{File: l.name, Line: l.line, Column: column, Message: message}
}
