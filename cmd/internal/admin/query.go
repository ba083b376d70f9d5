package admin

import (
	"fmt"
	"net/url"
	"slices"
	"strings"

	"github.com/danielgtaylor/huma/v2"
)

// queryFault tells what is wrong with the names of parameters; what is wrong
// with their values the schema tells.
func queryFault(op *huma.Operation, values url.Values) error {
	known := map[string]*huma.Schema{}
	var names []string
	for _, p := range op.Parameters {
		if p.In == "query" {
			known[p.Name] = p.Schema
			names = append(names, p.Name)
		}
	}
	for name, given := range values {
		schema, ok := known[name]
		switch {
		case !ok && len(names) == 0:
			return badRequest(fmt.Sprintf("unknown parameter %q: expected none", name))
		case !ok:
			return badRequest(fmt.Sprintf("unknown parameter %q: expected %s", name, strings.Join(names, ", ")))
		case len(given) > 1 && schema.Type != huma.TypeArray:
			return badRequest(fmt.Sprintf("parameter %q: expected one value, got %d", name, len(given)))
		case schema.Type != huma.TypeString && slices.Contains(given, ""):
			return badRequest(fmt.Sprintf("parameter %q: expected %s, got nothing", name, schema.Type))
		}
	}
	return nil
}
