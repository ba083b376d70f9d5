package yamldoc

import (
	"encoding"
	"fmt"
	"reflect"
	"slices"

	"github.com/goccy/go-yaml/ast"
)

// unfolding bounds the values of one document after aliases are followed: a few lines can otherwise mean billions.
func unfolding(src []byte) int { return 10_000 + 4*len(src) }

// A walk goes once through the tree and the Go value together, filling the one and collecting what does not fit.
type walk struct {
	doc      *Document
	path     []any
	problems Problems
	budget   int
}

func (w *walk) report(n ast.Node, format string, args ...any) {
	w.problems = append(w.problems, w.doc.at(n, w.path, fmt.Sprintf(format, args...)))
}

func (w *walk) mismatch(at, got ast.Node, t reflect.Type) {
	if scalarOnly(t) {
		w.report(at, "expected %s, got %s", describe(t), foundValue(got))
		return
	}
	w.report(at, "expected %s, got %s", describe(t), found(got))
}

func scalarOnly(t reflect.Type) bool {
	if isScalar(t) {
		return true
	}
	switch t.Kind() {
	case reflect.Struct, reflect.Slice, reflect.Map, reflect.Pointer:
		return false
	}
	return true
}

func (w *walk) under(step any, do func()) {
	w.path = append(w.path, step)
	do()
	w.path = w.path[:len(w.path)-1]
}

// anchorVisitor notes every &name before aliases are followed.
type anchorVisitor map[string]ast.Node

// Visit implements ast.Visitor.
func (v anchorVisitor) Visit(n ast.Node) ast.Visitor {
	if a, ok := n.(*ast.AnchorNode); ok && a.Name != nil {
		v[a.Name.GetToken().Value] = a.Value
	}
	return v
}

// fill reads one node into v; at is where to point, f carries the constraints of the key it stands under.
func (w *walk) fill(at, n ast.Node, v reflect.Value, f field) {
	if !w.afford(at) {
		return
	}
	n = w.doc.resolve(n)
	t := v.Type()
	switch union := unionOf(t); {
	case n == nil:
		w.report(at, "the alias has no anchor of that name")
	case t.Kind() == reflect.Pointer:
		v.Set(reflect.New(t.Elem()))
		w.fill(at, n, v.Elem(), f)
	case isScalar(t):
		w.fillText(at, n, v)
	case union != nil:
		w.fillUnion(at, n, v, union)
	case t.Implements(orderedType):
		w.fillOrdered(at, n, v)
	case t.Kind() == reflect.Struct:
		w.fillStruct(at, n, v)
	case t.Kind() == reflect.Slice:
		w.fillList(at, n, v, f)
	case t.Kind() == reflect.Map:
		w.fillMap(at, n, v)
	default:
		w.fillPlain(at, n, v, f)
	}
}

func (w *walk) fillText(at, n ast.Node, v reflect.Value) {
	text, ok := scalarText(n)
	if !ok {
		w.mismatch(at, n, v.Type())
		return
	}
	err := v.Addr().Interface().(encoding.TextUnmarshaler).UnmarshalText([]byte(text))
	if err == nil {
		return
	}
	if h, ok := err.(interface{ Hint() string }); ok {
		w.report(at, "expected %s, got %q; %s", describe(v.Type()), text, h.Hint())
		return
	}
	w.report(at, "expected %s, got %q", describe(v.Type()), text)
}

func (w *walk) fillUnion(at, n ast.Node, v reflect.Value, union map[form]reflect.StructField) {
	f, ok := union[formOf(n)]
	if !ok {
		w.mismatch(at, n, v.Type())
		return
	}
	w.fill(at, n, v.FieldByIndex(f.Index), field{})
}

func formOf(n ast.Node) form {
	switch n.(type) {
	case *ast.SequenceNode:
		return listForm
	case *ast.MappingNode, *ast.MappingValueNode:
		return mappingForm
	case *ast.NullNode:
		return ""
	}
	return scalarForm
}

func (w *walk) fillList(at, n ast.Node, v reflect.Value, f field) {
	list, isList := n.(*ast.SequenceNode)
	if !isList && v.Type().Implements(oneOrManyType) && mayBe(formOf(n), v.Type().Elem()) {
		one := reflect.New(v.Type().Elem()).Elem()
		w.fill(at, n, one, f)
		v.Set(reflect.Append(v, one))
		return
	}
	if !isList {
		w.mismatch(at, n, v.Type())
		return
	}
	v.Set(reflect.MakeSlice(v.Type(), len(list.Values), len(list.Values)))
	for i, element := range list.Values {
		w.under(i, func() { w.fill(element, element, v.Index(i), f) })
	}
}

// afford ends a walk that aliases would make endless; it says so once.
func (w *walk) afford(at ast.Node) bool {
	if len(w.path) > maxDepth {
		w.budget = min(w.budget, 1)
	}
	if w.budget--; w.budget == 0 {
		w.report(at, "the aliases of this file unfold to too many values")
	}
	return w.budget > 0
}

// mayBe says whether a node of this form can be the only element of a list of t.
func mayBe(f form, t reflect.Type) bool {
	return f == scalarForm && scalarOnly(t) || f == mappingForm && !scalarOnly(t)
}

// fields lists a mapping's entries once each and reports keys written twice. An empty value reads as an empty
// mapping, since `open:` is how people write it.
func (w *walk) fields(at, n ast.Node, t reflect.Type) ([]entry, bool) {
	if formOf(n) != mappingForm {
		if formOf(n) != "" {
			w.mismatch(at, n, t)
		}
		return nil, formOf(n) == ""
	}
	var once []entry
	first := map[string]ast.Node{}
	for _, e := range w.doc.entries(n, 0) {
		before, twice := first[e.key]
		switch {
		case !e.plain:
			w.report(e.at, "expected a plain key, got %s", found(w.doc.resolve(e.at)))
		case twice && !e.merged:
			line, _ := position(before)
			w.under(e.key, func() { w.report(e.at, "written twice, first on line %d", line) })
		case !twice:
			first[e.key] = e.at
			once = append(once, e)
		}
	}
	return once, true
}

func (w *walk) fillMap(at, n ast.Node, v reflect.Value) {
	entries, ok := w.fields(at, n, v.Type())
	if !ok {
		return
	}
	v.Set(reflect.MakeMap(v.Type()))
	for _, e := range entries {
		value := reflect.New(v.Type().Elem()).Elem()
		w.under(e.key, func() { w.fill(e.place(), e.value, value, field{}) })
		v.SetMapIndex(reflect.ValueOf(e.key).Convert(v.Type().Key()), value)
	}
}

func (w *walk) fillOrdered(at, n ast.Node, v reflect.Value) {
	entries, _ := w.fields(at, n, v.Type())
	for _, e := range entries {
		one := reflect.New(v.Type().Elem()).Elem()
		one.Field(0).SetString(e.key)
		w.under(e.key, func() { w.fill(e.place(), e.value, one.Field(1), field{}) })
		v.Set(reflect.Append(v, one))
	}
}

func (w *walk) fillStruct(at, n ast.Node, v reflect.Value) {
	entries, ok := w.fields(at, n, v.Type())
	if !ok {
		return
	}
	fields := fieldsOf(v.Type())
	var given, meant []string
	for _, e := range entries {
		i := slices.IndexFunc(fields, func(f field) bool { return f.key == e.key })
		w.under(e.key, func() {
			if i < 0 {
				meant = append(meant, w.unknownKey(e, keysOf(fields)))
				return
			}
			given = append(given, e.key)
			w.fill(e.place(), e.value, v.FieldByIndex(fields[i].index), fields[i])
		})
	}
	w.missing(at, fields, append(given, meant...))
}

// unknownKey reports a key the mapping does not have and returns the one that was probably meant.
func (w *walk) unknownKey(e entry, known []string) string {
	near, ok := Nearest(e.key, known)
	if ok {
		w.report(e.at, "unknown key, did you mean %q?", near)
	} else {
		w.report(e.at, "unknown key; known here: %s", list(known))
	}
	return near
}

func (w *walk) missing(at ast.Node, fields []field, given []string) {
	for _, f := range fields {
		if f.required && !slices.Contains(given, f.key) {
			w.under(f.key, func() { w.report(at, "missing; this key is required (%s)", describe(f.typ)) })
		}
	}
}
