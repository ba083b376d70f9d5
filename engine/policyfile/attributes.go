package policyfile

import (
	"strconv"

	"sekisho/dict"
	"sekisho/engine/yamldoc"
)

// Spelt gives a request attribute and its value in the dictionary's spelling, in which the engine compares them:
// any letter case of the name, any number that has a name. What the dictionary does not know stays as it is.
func Spelt(name, value string) (string, string) {
	a, ok := dict.Standard().Lookup(name)
	if !ok {
		return name, value
	}
	if n, err := strconv.ParseUint(value, 10, 32); err == nil {
		value = a.ValueName(uint32(n))
	}
	return a.Name, value
}

// doubtfulWords warns of request attributes and values the shipped dictionary lacks. An operator's own dictionary may
// have them, so they are no errors; a slip of the hand would be a rule that never matches.
func (f *policyText) doubtfulWords(doc *yamldoc.Document) []yamldoc.Problem {
	var found []yamldoc.Problem
	for i, r := range f.Rules {
		at := []any{"rules", i, "when"}
		for w := &r.When; w != nil; w, at = w.Not, append(at[:len(at):len(at)], "not") {
			for _, e := range w.Request {
				found = append(found, doubtful(doc, append(at[:len(at):len(at)], "request", e.Key), e)...)
			}
		}
	}
	return found
}

func doubtful(doc *yamldoc.Document, at []any, e yamldoc.Entry[yamldoc.List[value]]) []yamldoc.Problem {
	a, ok := dict.Standard().Lookup(e.Key)
	if !ok {
		return []yamldoc.Problem{doc.Warning(at, "the dictionary has no attribute %q", e.Key)}
	}
	var found []yamldoc.Problem
	for i, v := range e.Value {
		if _, err := a.Encode(string(v)); err != nil {
			found = append(found, doc.Warning(append(at[:len(at):len(at)], i), "%q is no value of %s in the dictionary", v, a.Name))
		}
	}
	return found
}
