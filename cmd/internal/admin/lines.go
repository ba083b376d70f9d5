package admin

import (
	"bytes"
	"encoding/json"
	"net/http"
	"time"
)

// linesType is one JSON object a line.
const linesType = "application/x-ndjson"

// lineWriter streams lines, as long as somebody takes them.
type lineWriter struct {
	w       http.ResponseWriter
	control *http.ResponseController
	begun   bool
	held    bytes.Buffer
}

// heldLines is how much is held before it is sent, in bytes.
const heldLines = 32 << 10

func newLineWriter(w http.ResponseWriter) *lineWriter {
	return &lineWriter{w: w, control: http.NewResponseController(w)}
}

// emit writes v as a line, at once or when there is enough to send.
func (l *lineWriter) emit(v any, now bool) error {
	if !l.begun {
		l.begun = true
		l.w.Header().Set("Content-Type", linesType)
	}
	e := json.NewEncoder(&l.held)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return err
	}
	if !now && l.held.Len() < heldLines {
		return nil
	}
	return l.flush()
}

func (l *lineWriter) flush() error {
	_ = l.control.SetWriteDeadline(time.Now().Add(patience.write)) // without deadlines there is no limit either
	if _, err := l.held.WriteTo(l.w); err != nil {
		return err
	}
	return l.control.Flush()
}
