package ldapsync

import (
	"fmt"
	"slices"
	"strings"

	"github.com/go-ldap/ldap/v3"

	"sekisho/engine"
)

// The fields of a contract that attributes are mapped to.
const (
	fieldAccount = "account" // several values are several contracts
	fieldCourse  = "course"
	fieldAddress = "address"
	fieldArea    = "area"
	fieldSegment = "segment"
	fieldOptions = "options" // several values are several options
	fieldStatus  = "status"
)

// Fields lists them; account and course must be mapped.
var Fields = []string{fieldAccount, fieldCourse, fieldAddress, fieldArea, fieldSegment, fieldOptions, fieldStatus}

// AnyValue stands in Field.Values for every value that is not named.
const AnyValue = "*"

// Mapping makes contracts of entries.
type Mapping struct{ Fields []Field }

// Field says where a field of a contract comes from.
type Field struct {
	Name       string
	Attributes []string          // the first one that has a value counts
	Values     map[string]string // the directory's words, compared folded -> ours; others stay as they are
}

// NewMapping makes a mapping; it folds the words of Values.
func NewMapping(fields []Field) *Mapping {
	m := &Mapping{Fields: slices.Clone(fields)}
	for i, f := range m.Fields {
		folded := make(map[string]string, len(f.Values))
		for theirs, ours := range f.Values {
			folded[engine.Fold(theirs)] = ours
		}
		m.Fields[i].Values = folded
	}
	return m
}

// Attributes are those that have to be asked for.
func (m *Mapping) Attributes() []string {
	var all []string
	for _, f := range m.Fields {
		for _, name := range f.Attributes {
			if !slices.ContainsFunc(all, func(known string) bool { return strings.EqualFold(known, name) }) {
				all = append(all, name)
			}
		}
	}
	return all
}

// Contracts gives the contracts of an entry, one for each of its accounts, or
// says why it has none. Whether they can be stored only the store knows.
func (m *Mapping) Contracts(e *ldap.Entry) ([]engine.Contract, error) {
	var c engine.Contract
	var accounts []string
	for i := range m.Fields {
		f := &m.Fields[i]
		values, from := f.values(e)
		if err := f.put(&c, &accounts, values, from); err != nil {
			return nil, err
		}
	}
	if len(accounts) == 0 {
		return nil, m.missing(fieldAccount)
	}
	contracts := make([]engine.Contract, len(accounts))
	for i, account := range accounts {
		contracts[i] = c
		contracts[i].Account = account
	}
	return contracts, nil
}

// put sets the field; from is the attribute that the values are of.
func (f *Field) put(c *engine.Contract, accounts *[]string, values []string, from string) error {
	switch f.Name {
	case fieldAccount:
		*accounts = values
		return nil
	case fieldOptions:
		c.Options = values
		return nil
	}
	if len(values) > 1 {
		return fmt.Errorf("%s: %s has %d values, %q and %q among them; expected one", f.Name, from, len(values), short(values[0]), short(values[1]))
	}
	if len(values) == 0 {
		return nil // a course that is missing is the store's to refuse
	}
	*f.of(c) = values[0]
	return nil
}

func (f *Field) of(c *engine.Contract) *string {
	return map[string]*string{
		fieldCourse: &c.Course, fieldAddress: &c.Address, fieldArea: &c.Area, fieldSegment: &c.Segment, fieldStatus: &c.Status,
	}[f.Name]
}

func (m *Mapping) missing(name string) error {
	for _, f := range m.Fields {
		if f.Name == name {
			return fmt.Errorf("%s: the entry has no %s", name, strings.Join(f.Attributes, ", no "))
		}
	}
	return fmt.Errorf("%s: no attribute is mapped to it", name)
}

// values gives what the first attribute says that has a value: trimmed,
// translated, each once by its folded form.
func (f *Field) values(e *ldap.Entry) (values []string, from string) {
	for _, name := range f.Attributes {
		for _, a := range e.Attributes {
			if !strings.EqualFold(a.Name, name) {
				continue
			}
			for _, v := range a.Values {
				values = f.add(values, v)
			}
		}
		if len(values) > 0 {
			return values, name
		}
	}
	return nil, ""
}

func (f *Field) add(values []string, v string) []string {
	v = strings.TrimSpace(v)
	if v == "" {
		return values
	}
	key := engine.Fold(v)
	if ours, ok := f.Values[key]; ok {
		v = ours
	} else if ours, ok := f.Values[AnyValue]; ok {
		v = ours
	}
	if v == "" || slices.ContainsFunc(values, func(k string) bool { return engine.Fold(k) == engine.Fold(v) }) {
		return values
	}
	return append(values, v)
}

// short keeps a value readable in a message.
func short(v string) string {
	const most = 60
	if len(v) > most {
		return v[:most] + "…"
	}
	return v
}
