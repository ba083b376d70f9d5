package main

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"sekisho/cmd/internal/config"

	"github.com/invopop/jsonschema"
)

// TestPageOfTheSiteFile holds docs/site-file.md to the keys that the site file
// has; -update writes it anew.
func TestPageOfTheSiteFile(t *testing.T) {
	t.Parallel()
	source, err := config.Schema()
	if err != nil {
		t.Fatal(err)
	}
	var schema jsonschema.Schema
	if err := json.Unmarshal(source, &schema); err != nil {
		t.Fatal(err)
	}
	page := sitePage{definitions: schema.Definitions}
	page.WriteString(siteIntroduction)
	page.keys("", schema.Definitions["spec"])
	golden(t, "../"+moduleRoot+"/docs/site-file.md", page.String())
}

const siteIntroduction = "# Every key of the site file\n\n" +
	"One YAML file says everything about an installation that is not the policy. `sekisho check FILE` tells every mistake\n" +
	"of it at once, with line, column and what was expected; `sekisho check --schema` prints its JSON Schema, by which\n" +
	"editors complete and check it. NAME is a name of yours. Durations are written as 500ms, 5s, 10m, 12h or 90d. Files are\n" +
	"relative to the site file.\n\n" +
	"| key | value | what it says |\n| --- | --- | --- |\n"

// sitePage lists keys from the schema, in the order of the specification.
type sitePage struct {
	strings.Builder
	definitions jsonschema.Definitions
}

func (p *sitePage) keys(path string, s *jsonschema.Schema) {
	for pair := s.Properties.Oldest(); pair != nil; pair = pair.Next() {
		value, name := p.resolve(pair.Value), path+pair.Key
		inner, each := p.fields(value)
		note := pair.Value.Description
		if slices.Contains(s.Required, pair.Key) {
			note += "; required"
		}
		if inner == nil {
			fmt.Fprintf(p, "| `%s` | %s | %s |\n", name, kind(value), note)
			continue
		}
		fmt.Fprintf(p, "| **`%s`** | | %s |\n", name+each, note)
		p.keys(name+each+".", inner)
	}
}

func (p *sitePage) resolve(s *jsonschema.Schema) *jsonschema.Schema {
	if name, ok := strings.CutPrefix(s.Ref, "#/$defs/"); ok {
		return p.definitions[name]
	}
	return s
}

// fields are the keys beneath a value, of itself or of each of its NAMEs.
func (p *sitePage) fields(s *jsonschema.Schema) (inner *jsonschema.Schema, each string) {
	for _, one := range append([]*jsonschema.Schema{s}, s.OneOf...) {
		one = p.resolve(one)
		if one.Properties != nil && one.Properties.Len() > 0 {
			return one, ""
		}
		if one.AdditionalProperties != nil {
			if inner, deeper := p.fields(p.resolve(one.AdditionalProperties)); inner != nil {
				return inner, ".NAME" + deeper
			}
		}
	}
	return nil, ""
}

// kind says in a few words what may stand as a value.
func kind(s *jsonschema.Schema) string {
	if len(s.Enum) > 0 {
		var words []string
		for _, v := range s.Enum {
			words = append(words, fmt.Sprintf("`%v`", v))
		}
		return strings.Join(words, ", ")
	}
	kinds := map[string]string{"boolean": "`true`, `false`", "integer": "number", "array": "list", "object": "keys of NAMEs", "string": "text", "number": "text"}
	var words []string
	for _, one := range append([]*jsonschema.Schema{s}, s.OneOf...) {
		if word := kinds[one.Type]; word != "" && !slices.Contains(words, word) {
			words = append(words, word)
		}
	}
	return strings.Join(words, " or ")
}
