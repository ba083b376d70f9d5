package admin

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"
)

// maxJSON bounds the JSON body of a request, in bytes.
const maxJSON = 1 << 20

// Operation is one line of the table of what may be asked for, and by whom at
// least.
type Operation struct {
	ID, Method, Path string
	Role             Role
}

// Routes are the operations of the door. The functions whose names begin with
// Mount add to them; each operation is added with the least role that may ask
// for it, and documents itself.
type Routes struct {
	mux   *http.ServeMux
	api   huma.API
	table map[string]Operation // by the pattern of the mux
	read  time.Duration        // for the JSON of a request
}

// NewRoutes makes a door without any operation.
func NewRoutes() *Routes {
	mux := http.NewServeMux()
	config := huma.DefaultConfig("sekisho", "1")
	config.OpenAPIPath, config.DocsPath, config.SchemasPath, config.CreateHooks = "", "", "", nil
	config.Info.Description = apiDescription
	config.Components.SecuritySchemes = map[string]*huma.SecurityScheme{"token": {
		Type: "http", Scheme: "bearer", Description: "on TCP; on the unix socket the kernel says who asks",
	}}
	config.Security = []map[string][]string{{"token": {}}, {}}
	return &Routes{mux: mux, api: humago.New(mux, config), table: map[string]Operation{}, read: patience.read}
}

// Table lists the operations in the order of their paths.
func (r *Routes) Table() []Operation {
	var all []Operation
	for _, o := range r.table {
		all = append(all, o)
	}
	slices.SortFunc(all, func(a, b Operation) int {
		return strings.Compare(a.Path+" "+a.Method, b.Path+" "+b.Method)
	})
	return all
}

// of finds the operation that a request asks for.
func (r *Routes) of(req *http.Request) (Operation, bool) {
	_, pattern := r.mux.Handler(req)
	o, ok := r.table[pattern]
	return o, ok
}

// add takes an operation into the table, with what all have in common.
func (r *Routes) add(role Role, op *huma.Operation) {
	op.Middlewares = append(op.Middlewares, checkQuery)
	op.BodyReadTimeout = r.read
	op.MaxBodyBytes = maxJSON
	op.Extensions = map[string]any{"x-role": role.String()}
	r.table[op.Method+" "+op.Path] = Operation{ID: op.OperationID, Method: op.Method, Path: op.Path, Role: role}
}

// body is an answer that is nothing but its JSON.
type body[T any] struct{ Body T }

// none is a question without parameters.
type none struct{}

// handle adds an operation that is asked by I, whose fields say which
// parameters there are, and answers with O, whose fields say which headers.
func handle[I, O any](r *Routes, role Role, op huma.Operation, answer func(context.Context, *I) (*O, error)) {
	r.add(role, &op)
	huma.Register(r.api, op, func(ctx context.Context, in *I) (*O, error) {
		out, err := answer(ctx, in)
		if err != nil {
			return nil, asProblem(err)
		}
		return out, nil
	})
}

// ask adds an operation whose answer is a value.
func ask[I, T any](r *Routes, role Role, op huma.Operation, answer func(context.Context, *I) (T, error)) {
	handle(r, role, op, func(ctx context.Context, in *I) (*body[T], error) {
		v, err := answer(ctx, in)
		return &body[T]{v}, err
	})
}

// stream adds an operation that writes its answer itself. What it answers with
// stands in op.Responses, what it reads from the body in op.RequestBody. An
// error becomes a problem; it must come before anything is written.
func stream[I any](r *Routes, role Role, op huma.Operation, answer func(http.ResponseWriter, *http.Request, *I) error) {
	r.add(role, &op)
	huma.Register(r.api, op, func(ctx context.Context, in *I) (*huma.StreamResponse, error) {
		return &huma.StreamResponse{Body: func(ctx huma.Context) {
			req, w := humago.Unwrap(ctx)
			if err := answer(w, req, in); err != nil {
				writeError(w, err)
			}
		}}, nil
	})
}

// checkQuery refuses parameters that an operation does not know, has twice, or
// has without a value that could be meant: "dryrun=true" and "dry-run=" must
// not import.
func checkQuery(ctx huma.Context, next func(huma.Context)) {
	at := ctx.URL()
	values, err := url.ParseQuery(at.RawQuery)
	if err == nil {
		err = queryFault(ctx.Operation(), values)
	} else {
		err = badRequest("query: " + err.Error())
	}
	if err != nil {
		_, w := humago.Unwrap(ctx)
		writeError(w, err)
		return
	}
	next(ctx)
}
