package store

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"sekisho/engine"
)

// FieldErrors are what is wrong with one thing that was to be stored, at most
// one per field.
type FieldErrors []FieldError

// FieldError is what is wrong with one field. Field is its name as in a CSV
// file; Message goes on after it: "is empty".
type FieldError struct{ Field, Message string }

// Error names every field with its message.
func (e FieldErrors) Error() string {
	texts := make([]string, len(e))
	for i, f := range e {
		texts[i] = f.Field + " " + f.Message
	}
	return strings.Join(texts, "; ")
}

// orNil is e as an error, nil where nothing is wrong.
func (e FieldErrors) orNil() error {
	if len(e) == 0 {
		return nil
	}
	return e
}

// field is a text of something that is to be stored.
type field struct {
	name     string
	value    *string
	required bool
	limit    int // in bytes
}

// text adds what forbids to keep the text of f, if anything.
func (e FieldErrors) text(f field) FieldErrors {
	if text := refuseText(*f.value, f.limit); text != "" {
		return append(e, FieldError{f.name, text})
	}
	if f.required && engine.Fold(*f.value) == "" {
		return append(e, FieldError{f.name, "is empty"})
	}
	return e
}

// refuseText says why a text cannot be kept, or "".
func refuseText(s string, limit int) string {
	switch {
	case len(s) > limit:
		return fmt.Sprintf("is %d bytes long; at most %d fit", len(s), limit)
	case !utf8.ValidString(s):
		return fmt.Sprintf("%q: expected UTF-8", s)
	}
	if i := strings.IndexFunc(s, unicode.IsControl); i >= 0 {
		r, _ := utf8.DecodeRuneInString(s[i:])
		return fmt.Sprintf("%q contains the control character %U", s, r)
	}
	return ""
}
