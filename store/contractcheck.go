package store

import (
	"fmt"
	"slices"
	"strings"
	"unicode"

	"sekisho/engine"
)

const (
	// maxAccount is the longest User-Name that RADIUS can carry, in bytes.
	maxAccount = 253
	// maxField keeps any other field to what a person would write, in bytes.
	maxField = 1024
)

// vocabulary holds the words of the fields that have a fixed set of them;
// such a field may be empty, too.
var vocabulary = map[string][]string{
	"address": {"dynamic", "fixed", "simple-fixed"},
	"segment": {"personal", "corporate-s"},
	"status":  {"active", "suspended", "closed"},
}

// tidy brings a contract into the form that is stored, and says what forbids
// that. Outer blanks go, words of a vocabulary are folded, options are a set.
func tidy(c engine.Contract) (engine.Contract, FieldErrors) {
	var bad FieldErrors
	for _, f := range fields(&c) {
		*f.value = strings.TrimSpace(*f.value)
		if words, ok := vocabulary[f.name]; ok {
			*f.value = engine.Fold(*f.value)
			if *f.value != "" && !slices.Contains(words, *f.value) {
				bad = append(bad, FieldError{f.name, fmt.Sprintf("%q is none of %s", *f.value, strings.Join(words, ", "))})
				continue
			}
		}
		bad = bad.text(f)
	}
	var text string
	if c.Options, text = tidyOptions(c.Options); text != "" {
		bad = append(bad, FieldError{"options", text})
	}
	return c, bad
}

// fields lists the fields that hold one text, in the order of the CSV columns.
func fields(c *engine.Contract) []field {
	return []field{
		{"account", &c.Account, true, maxAccount},
		{"course", &c.Course, true, maxField},
		{"address", &c.Address, false, maxField},
		{"area", &c.Area, false, maxField},
		{"segment", &c.Segment, false, maxField},
		{"status", &c.Status, false, maxField},
	}
}

func tidyOptions(options []string) ([]string, string) {
	var set []string
	for _, o := range options {
		o = strings.TrimSpace(o)
		if text := refuseText(o, maxField); text != "" {
			return nil, text
		}
		if strings.ContainsFunc(o, separatesOptions) {
			return nil, fmt.Sprintf("%q: an option contains neither blanks nor semicolons", o)
		}
		if o != "" {
			set = append(set, o)
		}
	}
	slices.Sort(set)
	return slices.Compact(set), ""
}

func separatesOptions(r rune) bool { return r == ';' || unicode.IsSpace(r) }
