package admin

import (
	"encoding/json"
	"net/http"
	"reflect"

	"github.com/danielgtaylor/huma/v2"
)

const apiDescription = `The operators' door of sekisho: HTTP on a unix socket, where the kernel says who asks, and by choice on TCP, where a
bearer token does. Each operation names in x-role the least role that may ask for it. Errors are application/problem+json (RFC 9457).`

// The groups of operations.
var (
	tagDaemon    = []string{"daemon"}
	tagDecisions = []string{"decisions"}
	tagContracts = []string{"contracts"}
	tagOverrides = []string{"overrides"}
	tagSessions  = []string{"sessions"}
	tagAudit     = []string{"audit"}
	tagRouters   = []string{"routers"}
	tagAccess    = []string{"access"}
	tagSync      = []string{"sync"}
)

// OpenAPI writes the document of the operations (OpenAPI 3.1), as YAML.
func (r *Routes) OpenAPI() ([]byte, error) { return r.api.OpenAPI().YAML() }

// answers describes an answer that is no JSON value.
func answers(contentType, description string) map[string]*huma.Response {
	return respond(contentType, description, &huma.Schema{Type: huma.TypeString})
}

// valueOf describes an answer that is a T.
func valueOf[T any](r *Routes, description string) map[string]*huma.Response {
	return respond("application/json", description, schemaOf[T](r))
}

// linesOf describes an answer of a T a line.
func linesOf[T any](r *Routes, description string) map[string]*huma.Response {
	return respond(linesType, description, schemaOf[T](r))
}

func schemaOf[T any](r *Routes) *huma.Schema {
	t := reflect.TypeFor[T]()
	return r.api.OpenAPI().Components.Schemas.Schema(t, true, t.Name())
}

func respond(contentType, description string, s *huma.Schema) map[string]*huma.Response {
	return map[string]*huma.Response{"200": {
		Description: description,
		Content:     map[string]*huma.MediaType{contentType: {Schema: s}},
	}}
}

// csvBody describes a file that is sent.
func csvBody(description string) *huma.RequestBody {
	return &huma.RequestBody{
		Description: description,
		Required:    true,
		Content:     map[string]*huma.MediaType{"text/csv": {Schema: &huma.Schema{Type: huma.TypeString}}},
	}
}

// writeJSON answers with a value.
func writeJSON(w http.ResponseWriter, v any) error {
	body, err := json.Marshal(v)
	if err != nil {
		return err
	}
	w.Header().Set("Content-Type", "application/json")
	_, _ = w.Write(append(body, '\n')) // a client that went away has no use for an error
	return nil
}

// jsonBody describes JSON that is sent and that huma does not read itself.
func jsonBody[T any](r *Routes, description string) *huma.RequestBody {
	return &huma.RequestBody{
		Description: description,
		Required:    true,
		Content:     map[string]*huma.MediaType{"application/json": {Schema: schemaOf[T](r)}},
	}
}
