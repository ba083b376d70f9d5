// Package yamldoc reads one YAML document into Go values and finds every mistake of the file in one run, each with
// its line, column, key, what was expected and what was found, in words an operator understands.
//
// The Go types are the schema: keys come from `yaml:"kebab-case"` tags, `jsonschema:"required"`, enum=, minimum= and
// maximum= tell what a value must be, and Schema writes the same as JSON Schema for editors. A value that may be
// written in several forms is a struct with one field per form, tagged `yaml:",scalar"`, `yaml:",list"` or
// `yaml:",mapping"`; the field of the form that was written is filled. The package parses nothing itself
// (goccy/go-yaml does) and knows nothing about what the document means.
package yamldoc

import (
	"fmt"
	"reflect"
	"strings"

	"github.com/goccy/go-yaml/ast"
)

// A Document remembers where everything stands in a file, so that whoever checks the meaning can point at it.
// It is immutable after Decode and safe for concurrent use.
type Document struct {
	file    string
	root    ast.Node
	anchors map[string]ast.Node
}

// Decode reads src into a T and reports all structural mistakes at once; file is only used in messages.
// T comes back with everything that could be read, the Document is never nil, neither keeps src.
func Decode[T any](file string, src []byte) (T, *Document, Problems) {
	var v T
	d := &Document{file: file, anchors: map[string]ast.Node{}}
	root, problem := parse(file, src)
	if problem != nil {
		return v, d, Problems{*problem}
	}
	d.root = root
	w := &walk{doc: d, budget: unfolding(src)}
	ast.Walk(anchorVisitor(d.anchors), root)
	w.fill(root, root, reflect.ValueOf(&v).Elem(), field{})
	w.problems.sort()
	return v, d, w.problems
}

// Problem makes an error at the value that path leads to (string for a mapping key, int for a list index, from 0).
// Where the path ends early, the nearest existing parent is pointed at; the key named is the whole path.
func (d *Document) Problem(path []any, format string, args ...any) Problem {
	_, value := d.find(path)
	return d.at(value, path, fmt.Sprintf(format, args...))
}

// Warning is Problem for things that are allowed but doubtful.
func (d *Document) Warning(path []any, format string, args ...any) Problem {
	p := d.Problem(path, format, args...)
	p.Warning = true
	return p
}

// ProblemAtKey is Problem pointing at the key instead of at the value.
func (d *Document) ProblemAtKey(path []any, format string, args ...any) Problem {
	key, _ := d.find(path)
	return d.at(key, path, fmt.Sprintf(format, args...))
}

func (d *Document) at(n ast.Node, path []any, text string) Problem {
	line, column := position(n)
	return Problem{File: d.file, Line: line, Column: column, Key: d.keyOf(path), Text: text}
}

// find follows path and returns the nodes of the last key and its value that exist.
func (d *Document) find(path []any) (key, value ast.Node) {
	key, value = d.root, d.root
	for _, step := range path {
		k, v := d.child(value, step)
		if v == nil {
			return key, value
		}
		key, value = k, v
	}
	return key, value
}

func (d *Document) child(n ast.Node, step any) (key, value ast.Node) {
	switch want := step.(type) {
	case string:
		for _, e := range d.entries(n, 0) {
			if e.key == want {
				return e.at, e.value
			}
		}
	case int:
		if list, ok := d.resolve(n).(*ast.SequenceNode); ok && want >= 0 && want < len(list.Values) {
			return list.Values[want], list.Values[want]
		}
	}
	return nil, nil
}

// keyOf writes a path as an operator would search for it: rules[stage-2].from rather than rules[3].from.
func (d *Document) keyOf(path []any) string {
	var b strings.Builder
	node := d.root
	for _, step := range path {
		parent := node
		_, node = d.child(parent, step)
		switch step := step.(type) {
		case string:
			if b.Len() > 0 {
				b.WriteByte('.')
			}
			b.WriteString(step)
		case int:
			if formOf(d.resolve(parent)) != scalarForm { // `course: a` has no course[0]
				fmt.Fprintf(&b, "[%s]", d.nameOf(node, step))
			}
		}
	}
	return b.String()
}

// nameOf is the element's own `name` where it has one, else its index.
func (d *Document) nameOf(element ast.Node, index int) string {
	if _, name := d.child(element, "name"); name != nil {
		if text, ok := scalarText(d.resolve(name)); ok {
			return text
		}
	}
	return fmt.Sprint(index)
}
