package dict

import "reflect"

// Derive lays a profile of the operator's over the one it starts from: what
// the operator's says wins, what it leaves out is the base's. Lists and
// attributes are taken whole; names and coa key by key.
func (s ProfileSpec) Derive(base ProfileSpec) ProfileSpec {
	overlay(reflect.ValueOf(&s).Elem(), reflect.ValueOf(base))
	return s
}

// overlay fills what a struct leaves out from the base, field by field.
func overlay(s, base reflect.Value) {
	for i := range s.NumField() {
		switch field := s.Field(i); {
		case field.Kind() == reflect.Struct:
			overlay(field, base.Field(i))
		case field.IsZero():
			field.Set(base.Field(i))
		}
	}
}
