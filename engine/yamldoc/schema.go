package yamldoc

import (
	"encoding/json"
	"reflect"

	"github.com/invopop/jsonschema"
)

// Schema writes the JSON Schema of T for editors (yaml-language-server and its like), from the same tags that Decode
// checks. id becomes its $id; empty for none.
func Schema[T any](id string) ([]byte, error) {
	r := reflector()
	s := r.ReflectFromType(reflect.TypeFor[T]())
	s.ID = jsonschema.ID(id)
	return json.MarshalIndent(s, "", "  ")
}

func reflector() *jsonschema.Reflector {
	return &jsonschema.Reflector{FieldNameTag: "yaml", RequiredFromJSONSchemaTags: true, Anonymous: true, Mapper: mapType}
}

// mapType covers the types whose YAML form is not their Go form; nil leaves the rest to the reflector.
func mapType(t reflect.Type) *jsonschema.Schema {
	union := unionOf(t)
	switch {
	case t.Kind() == reflect.Pointer:
		return nil
	case isScalar(t):
		return &jsonschema.Schema{OneOf: []*jsonschema.Schema{{Type: "string"}, {Type: "number"}}, Description: describe(t)}
	case t.Implements(oneOrManyType):
		one := nested(t.Elem())
		return &jsonschema.Schema{OneOf: []*jsonschema.Schema{one, {Type: "array", Items: one}}}
	case t.Implements(orderedType):
		return &jsonschema.Schema{OneOf: []*jsonschema.Schema{{Type: "object", AdditionalProperties: orNothing(nested(t.Elem().Field(1).Type))}, {Type: "null"}}}
	case union != nil:
		s := &jsonschema.Schema{}
		for _, f := range []form{scalarForm, listForm, mappingForm} {
			if field, ok := union[f]; ok {
				s.OneOf = append(s.OneOf, nested(field.Type))
			}
		}
		return s
	}
	return nil
}

func nested(t reflect.Type) *jsonschema.Schema {
	r := reflector()
	r.DoNotReference = true
	s := r.ReflectFromType(t)
	s.Version = ""
	return s
}

// orNothing lets a mapping be left empty (`open:`), as Decode does.
func orNothing(s *jsonschema.Schema) *jsonschema.Schema {
	if s.Type != "object" {
		return s
	}
	return &jsonschema.Schema{OneOf: []*jsonschema.Schema{s, {Type: "null"}}}
}
