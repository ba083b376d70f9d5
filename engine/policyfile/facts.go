package policyfile

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"sekisho/engine"
	"sekisho/engine/yamldoc"
)

// ReadFacts reads one JSON object of facts, as a line of DecideStream, and the time that they ask for, which is now
// where they do not say. It knows every key and its type; errors name the key by its path.
func ReadFacts(p *engine.Policy, line []byte, now time.Time) (f engine.Facts, at time.Time, err error) {
	top, err := object(line)
	if err != nil {
		return f, at, err
	}
	at = now
	r := &factReader{policy: p}
	r.keys(top, "", func(key string, v any) bool {
		switch key {
		case "user":
			if v != nil {
				f.Login = p.ReadLogin(r.text(key, v))
			}
		case "contract":
			f.Contract = r.contract(v)
		case "nas":
			f.NAS = r.nas(v)
		case "request":
			f.Request = r.request(v)
		case "overrides":
			f.Overrides = r.overrides(v)
		case "stages":
			f.Stages = r.texts(key, v)
		case "at":
			if v != nil {
				at = r.instant(key, r.text(key, v))
			}
		default:
			return false
		}
		return true
	}, "user", "contract", "nas", "request", "overrides", "stages", "at")
	return f, at, r.err
}

// object reads exactly one JSON object. Numbers keep their spelling.
func object(line []byte) (map[string]any, error) {
	if !utf8.Valid(line) {
		return nil, fmt.Errorf("not UTF-8 text")
	}
	d := json.NewDecoder(strings.NewReader(string(line)))
	d.UseNumber()
	var v any
	if err := d.Decode(&v); err != nil {
		return nil, fmt.Errorf("not valid JSON: %w", err)
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) { // More says no to a lone closing bracket
		return nil, fmt.Errorf("expected one JSON object per line, got more after it")
	}
	top, ok := v.(map[string]any)
	if !ok {
		return nil, fmt.Errorf("expected an object, got %s", kind(v))
	}
	return top, nil
}

// A factReader keeps the first mistake; what is read after it does not count.
type factReader struct {
	policy *engine.Policy
	err    error
}

func (r *factReader) fail(key, format string, args ...any) {
	if r.err == nil {
		r.err = fmt.Errorf("%s: %s", key, fmt.Sprintf(format, args...))
	}
}

// keys hands each key of an object to read, in sorted order so that the same line always fails alike.
func (r *factReader) keys(object map[string]any, path string, read func(key string, v any) bool, known ...string) {
	names := make([]string, 0, len(object))
	for k := range object {
		names = append(names, k)
	}
	slices.Sort(names)
	for _, k := range names {
		if !read(k, object[k]) {
			r.fail(path+k, "unknown key, %s", yamldoc.Suggest(k, known))
		}
	}
}

// fields reads an object all of whose values are texts.
func (r *factReader) fields(at string, v any, into map[string]*string) {
	o, ok := v.(map[string]any)
	if !ok {
		if v != nil {
			r.fail(at, "expected an object, got %s", kind(v))
		}
		return
	}
	var known []string
	for k := range into {
		known = append(known, k)
	}
	slices.Sort(known)
	r.keys(o, at+".", func(key string, v any) bool {
		if into[key] != nil && v != nil {
			*into[key] = r.text(at+"."+key, v)
		}
		return into[key] != nil
	}, known...)
}

func (r *factReader) contract(v any) *engine.Contract {
	o, ok := v.(map[string]any)
	if !ok {
		if v != nil {
			r.fail("contract", "expected an object or null, got %s", kind(v))
		}
		return nil
	}
	c := &engine.Contract{Options: r.texts("contract.options", o["options"])}
	rest := make(map[string]any, len(o))
	for k, v := range o {
		if k != "options" {
			rest[k] = v
		}
	}
	r.fields("contract", rest, map[string]*string{
		"account": &c.Account, "course": &c.Course, "address": &c.Address, "area": &c.Area, "segment": &c.Segment, "status": &c.Status,
	})
	return c
}

func (r *factReader) nas(v any) engine.NAS {
	var n engine.NAS
	r.fields("nas", v, map[string]*string{"name": &n.Name, "area": &n.Area})
	return n
}

func (r *factReader) request(v any) []engine.Attribute {
	o, ok := v.(map[string]any)
	if !ok {
		if v != nil {
			r.fail("request", "expected an object, got %s", kind(v))
		}
		return nil
	}
	var all []engine.Attribute
	r.keys(o, "request.", func(key string, v any) bool {
		list, ok := v.([]any)
		if !ok {
			list = []any{v}
		}
		for _, v := range list {
			name, value := Spelt(key, r.value("request."+key, v))
			all = append(all, engine.Attribute{Name: name, Value: value})
		}
		return true
	})
	return all
}

func (r *factReader) overrides(v any) []engine.Override {
	var all []engine.Override
	for i, v := range r.list("overrides", v) {
		at := fmt.Sprintf("overrides[%d]", i)
		var o engine.Override
		from, until := unsaid, unsaid
		r.fields(at, v, map[string]*string{
			"action": &o.Action, "from": &from, "until": &until, "id": &o.ID, "reason": &o.Reason, "area": &o.Area, "nas": &o.NAS,
		})
		if _, ok := r.policy.Action(o.Action); !ok {
			r.fail(at+".action", "unknown action %q, %s", o.Action, yamldoc.Suggest(o.Action, actionNames(r.policy)))
		}
		o.From, o.Until = r.bound(at+".from", from), r.bound(at+".until", until)
		all = append(all, o)
	}
	return all
}

// unsaid stands for a bound that the line leaves out; no text of a line is it, since JSON text is UTF-8.
const unsaid = "\xff"

func (r *factReader) bound(at, text string) time.Time {
	if text == unsaid {
		return time.Time{}
	}
	return r.instant(at, text)
}

func actionNames(p *engine.Policy) []string {
	var names []string
	for _, a := range p.Actions {
		names = append(names, a.Name)
	}
	return names
}

func (r *factReader) list(at string, v any) []any {
	list, ok := v.([]any)
	if !ok && v != nil {
		r.fail(at, "expected a list, got %s", kind(v))
	}
	return list
}

func (r *factReader) texts(at string, v any) []string {
	var texts []string
	for i, v := range r.list(at, v) {
		texts = append(texts, r.text(fmt.Sprintf("%s[%d]", at, i), v))
	}
	return texts
}

// text reads a string.
func (r *factReader) text(at string, v any) string {
	s, ok := v.(string)
	if !ok {
		r.fail(at, "expected a string, got %s", kind(v))
	}
	return s
}

// value reads the value of a request attribute, which may be a number.
func (r *factReader) value(at string, v any) string {
	if n, ok := v.(json.Number); ok {
		return n.String()
	}
	if s, ok := v.(string); ok {
		return s
	}
	r.fail(at, "expected a string or a number, got %s", kind(v))
	return ""
}

func (r *factReader) instant(at, text string) time.Time {
	t, err := time.Parse(time.RFC3339, text)
	if err != nil {
		r.fail(at, "expected a time such as 2007-05-14T15:00:00Z, got %q", text)
	}
	return t
}

func kind(v any) string {
	switch v := v.(type) {
	case nil:
		return "null"
	case bool:
		return fmt.Sprint(v)
	case json.Number:
		return "the number " + v.String()
	case string:
		return fmt.Sprintf("%q", v)
	case []any:
		return "a list"
	}
	return "an object"
}
