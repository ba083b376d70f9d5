package yamldoc

import (
	"reflect"
	"slices"
	"strconv"
	"strings"

	"github.com/goccy/go-yaml/ast"
)

// fillPlain reads strings, numbers and booleans.
func (w *walk) fillPlain(at, n ast.Node, v reflect.Value, f field) {
	ok := false
	switch k := v.Kind(); {
	case k == reflect.String:
		ok = w.fillString(at, n, v, f)
	case k == reflect.Bool:
		b, isBool := n.(*ast.BoolNode)
		if ok = isBool; ok {
			v.SetBool(b.Value)
		}
	case v.CanInt(), v.CanUint(), v.CanFloat():
		ok = w.fillNumber(at, n, v, f)
	default:
		panic("yamldoc: no way to read a " + v.Type().String())
	}
	if !ok {
		w.mismatch(at, n, v.Type())
	}
}

// fillString takes only what YAML itself calls a string: an unquoted 0123 would lose its meaning silently.
func (w *walk) fillString(at, n ast.Node, v reflect.Value, f field) bool {
	if formOf(n) != scalarForm {
		return false
	}
	text, _ := scalarText(n)
	switch n.(type) {
	case *ast.StringNode, *ast.LiteralNode:
	default:
		// The value itself may be a secret that lacks its quotes.
		w.report(at, "expected a string, got %s; put it in quotes if it is meant as text", kindOf(n))
		return true
	}
	if len(f.enum) > 0 && !slices.Contains(f.enum, text) {
		w.report(at, "expected one of %s, got %q", list(f.enum), text)
		return true
	}
	v.SetString(text)
	return true
}

// kindOf names what YAML takes an unquoted word for.
func kindOf(n ast.Node) string {
	switch n.(type) {
	case *ast.IntegerNode, *ast.FloatNode, *ast.InfinityNode, *ast.NanNode:
		return "a number"
	case *ast.BoolNode:
		return "true or false"
	case *ast.NullNode:
		return "nothing"
	}
	return "no text"
}

func (w *walk) fillNumber(at, n ast.Node, v reflect.Value, f field) bool {
	switch n.(type) {
	case *ast.IntegerNode:
	case *ast.FloatNode:
		if !v.CanFloat() {
			return false
		}
	default:
		return false
	}
	text := strings.ReplaceAll(strings.TrimSpace(n.GetToken().Value), "_", "")
	value, err := strconv.ParseFloat(text, 64)
	if err != nil {
		i, ierr := strconv.ParseInt(text, 0, 64)
		value, err = float64(i), ierr
	}
	if err != nil || !setNumber(v, text, value) || f.min != nil && value < *f.min || f.max != nil && value > *f.max {
		w.report(at, "expected %s%s, got %s", describe(v.Type()), bounds(f), text)
	}
	return true
}

// setNumber stores the number if the type can hold it.
func setNumber(v reflect.Value, text string, value float64) bool {
	switch {
	case v.CanFloat():
		v.SetFloat(value)
	case v.CanInt():
		i, err := strconv.ParseInt(text, 0, 64)
		if err != nil || v.OverflowInt(i) {
			return false
		}
		v.SetInt(i)
	default:
		u, err := strconv.ParseUint(text, 0, 64)
		if err != nil || v.OverflowUint(u) {
			return false
		}
		v.SetUint(u)
	}
	return true
}

func bounds(f field) string {
	format := func(v *float64) string { return strconv.FormatFloat(*v, 'f', -1, 64) }
	switch {
	case f.min != nil && f.max != nil:
		return " from " + format(f.min) + " to " + format(f.max)
	case f.min != nil:
		return " not below " + format(f.min)
	case f.max != nil:
		return " not above " + format(f.max)
	}
	return ""
}
