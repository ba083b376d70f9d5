package yamldoc

import (
	"encoding"
	"reflect"
	"strconv"
	"strings"
)

var (
	textType      = reflect.TypeFor[encoding.TextUnmarshaler]()
	oneOrManyType = reflect.TypeFor[interface{ oneOrMany() }]()
	orderedType   = reflect.TypeFor[interface{ ordered() }]()
)

// A field is one key of a mapping that the file is read into.
type field struct {
	key      string
	index    []int
	typ      reflect.Type
	required bool
	enum     []string
	min, max *float64
}

// fieldsOf lists the keys of a struct type; embedded structs count as if written out.
func fieldsOf(t reflect.Type) []field {
	var fields []field
	for _, f := range reflect.VisibleFields(t) {
		key, _, _ := strings.Cut(f.Tag.Get("yaml"), ",")
		if !f.IsExported() || f.Anonymous || key == "" || key == "-" {
			continue
		}
		fields = append(fields, constrain(field{key: key, index: f.Index, typ: f.Type}, f.Tag.Get("jsonschema")))
	}
	return fields
}

// constrain reads the words of a jsonschema tag that are checked here: required, enum, minimum, maximum.
// They are the same words invopop/jsonschema reads, so the editor's schema and the check agree.
func constrain(f field, tag string) field {
	for word := range strings.SplitSeq(tag, ",") {
		name, value, _ := strings.Cut(word, "=")
		switch name {
		case "required":
			f.required = true
		case "enum":
			f.enum = append(f.enum, value)
		case "minimum":
			f.min = number(value)
		case "maximum":
			f.max = number(value)
		}
	}
	return f
}

func number(s string) *float64 {
	v, err := strconv.ParseFloat(s, 64)
	if err != nil {
		panic("yamldoc: bad number in a jsonschema tag: " + s)
	}
	return &v
}

func keysOf(fields []field) []string {
	keys := make([]string, len(fields))
	for i, f := range fields {
		keys[i] = f.key
	}
	return keys
}

// A form is what a node may look like in the file.
type form string

const (
	scalarForm  form = "scalar"
	listForm    form = "list"
	mappingForm form = "mapping"
)

// unionOf reads a struct whose fields are tagged `yaml:",scalar"`, `yaml:",list"`, `yaml:",mapping"`: the value may
// be written in any of these forms and lands in that field. It is nil for every other type.
func unionOf(t reflect.Type) map[form]reflect.StructField {
	if t.Kind() != reflect.Struct {
		return nil
	}
	var union map[form]reflect.StructField
	for _, f := range reflect.VisibleFields(t) {
		key, option, _ := strings.Cut(f.Tag.Get("yaml"), ",")
		if key == "" && (option == string(scalarForm) || option == string(listForm) || option == string(mappingForm)) {
			if union == nil {
				union = map[form]reflect.StructField{}
			}
			union[form(option)] = f
		}
	}
	return union
}

func isScalar(t reflect.Type) bool { return reflect.PointerTo(t).Implements(textType) }

// describe completes "expected ..." for any type a file is read into.
func describe(t reflect.Type) string {
	if s, ok := reflect.New(t).Interface().(Scalar); ok {
		return s.Expected()
	}
	if isScalar(t) {
		return "a string"
	}
	switch u := unionOf(t); {
	case t.Kind() == reflect.Pointer:
		return describe(t.Elem())
	case t.Implements(oneOrManyType):
		return describe(t.Elem()) + " or a list"
	case t.Implements(orderedType):
		return "a mapping"
	case u != nil:
		return describeUnion(u)
	}
	return describeKind(t.Kind())
}

func describeUnion(u map[form]reflect.StructField) string {
	var words []string
	for _, f := range []form{scalarForm, listForm, mappingForm} {
		if field, ok := u[f]; ok {
			words = append(words, describe(field.Type))
		}
	}
	return strings.Join(words, ", or ")
}

func describeKind(k reflect.Kind) string {
	switch k {
	case reflect.Bool:
		return "true or false"
	case reflect.String:
		return "a string"
	case reflect.Slice:
		return "a list"
	case reflect.Struct, reflect.Map:
		return "a mapping"
	case reflect.Float32, reflect.Float64:
		return "a number"
	}
	return "a whole number"
}
