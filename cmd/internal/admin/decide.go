package admin

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"
)

// DecideQuestion asks for one decision.
type DecideQuestion struct {
	Facts json.RawMessage // as sekisho decide reads them
	NAS   string          // name of a NAS of the site file, where the facts name none
}

// Decided is the answer.
type Decided struct {
	Action     string     `json:"action"`
	Rule       string     `json:"rule"`
	Until      *time.Time `json:"until" doc:"UTC; null: for ever"`
	Account    string     `json:"account" doc:"empty: no login pattern reads the user"`
	Attributes []string   `json:"attributes,omitempty" doc:"what the NAS is told, if it is one of the site file's" example:"Filter-Id = \"op25b.in\""`
}

// Decider decides for given facts. An error of type *Problem is passed on as it
// is.
type Decider interface {
	Decide(DecideQuestion) (Decided, error)
}

// facts is what stands in the document; policyfile.ReadFacts reads the body.
type facts struct {
	User      string          `json:"user" example:"ua700aa007g@atson.net"`
	Contract  *Contract       `json:"contract,omitempty" doc:"null: none; the daemon's own is looked up where nothing is said"`
	NAS       factsNAS        `json:"nas,omitempty"`
	Request   map[string]any  `json:"request,omitempty" doc:"request attributes: a text, a number, or a list of them"`
	Overrides []factsOverride `json:"overrides,omitempty" doc:"the daemon's own are looked up where nothing is said"`
	Stages    []string        `json:"stages,omitempty" doc:"planned stages to pretend in force"`
	At        *time.Time      `json:"at,omitempty" doc:"now, if not said"`
}

type factsNAS struct {
	Name string `json:"name,omitempty" doc:"of the site file; its area is known"`
	Area string `json:"area,omitempty"`
}

type factsOverride struct {
	Action string     `json:"action"`
	From   *time.Time `json:"from,omitempty"`
	Until  *time.Time `json:"until,omitempty"`
	Area   string     `json:"area,omitempty"`
	NAS    string     `json:"nas,omitempty"`
}

type decideInput struct {
	NAS    string          `query:"nas" doc:"name of a NAS, where the facts name none"`
	Format string          `query:"format" enum:"facts,rlm_rest" default:"facts" doc:"rlm_rest: the body and the answer are those of FreeRADIUS' module of that name"`
	Body   json.RawMessage `contentType:"application/json"`
}

// MountDecide serves decisions for programs that carry them out themselves.
func MountDecide(r *Routes, d Decider) {
	ask(r, Viewer, huma.Operation{
		OperationID: "decide", Method: http.MethodPost, Path: "/v1/decide", Tags: tagDecisions,
		Summary: "One decision for facts",
		Description: "Contract and overrides are the daemon's own where the facts do not say otherwise. With format=rlm_rest the body is a " +
			"request as FreeRADIUS' rlm_rest encodes it, and the answer has the reply attributes of the NAS's profile.",
		RequestBody:      jsonBody[facts](r, "the facts"),
		Responses:        valueOf[Decided](r, `the decision; with format=rlm_rest {"reply:NAME": {"op": …, "value": […]}, …}`),
		SkipValidateBody: true, // the reader of facts says more
	}, func(_ context.Context, in *decideInput) (any, error) {
		q, err := in.question()
		if err != nil {
			return nil, err
		}
		decided, err := d.Decide(q)
		if err != nil || in.Format != formatREST {
			return decided, err
		}
		return restReply(decided.Attributes)
	})
}

const formatREST = "rlm_rest"

func (in *decideInput) question() (DecideQuestion, error) {
	if in.Format != formatREST {
		return DecideQuestion{Facts: in.Body, NAS: in.NAS}, nil
	}
	facts, err := restFacts(in.Body)
	return DecideQuestion{Facts: facts, NAS: in.NAS}, err
}

// restFacts makes facts of a request as rlm_rest encodes it:
// {"User-Name":{"type":"string","value":["bob"]}, …}.
func restFacts(body []byte) (json.RawMessage, error) {
	var request map[string]struct {
		Type  string `json:"type"`
		Value []any  `json:"value"`
	}
	if err := json.Unmarshal(body, &request); err != nil {
		return nil, badRequest(fmt.Sprintf(`body: expected {"User-Name":{"type":"string","value":["…"]}, …} as rlm_rest writes with body = "json": %v`, err))
	}
	facts, attributes := map[string]any{}, map[string]any{}
	for name, a := range request {
		attributes[name] = a.Value
	}
	if user := request["User-Name"].Value; len(user) > 0 {
		facts["user"] = user[0]
	}
	facts["request"] = attributes
	return json.Marshal(facts)
}

// restAttribute is one attribute as rlm_rest reads it.
type restAttribute struct {
	Op    string   `json:"op"`
	Value []string `json:"value"`
}

// restReply makes the lines of a saying what rlm_rest adds to a reply. One value
// takes the place of what is there; several go beside it, as one and the same
// attribute may carry what is not ours.
func restReply(lines []string) (map[string]restAttribute, error) {
	reply := map[string]restAttribute{}
	for _, line := range lines {
		name, value, ok := strings.Cut(line, " = ")
		if !ok {
			return nil, fmt.Errorf("attribute %q: expected NAME = VALUE", line)
		}
		if plain, err := strconv.Unquote(value); err == nil {
			value = plain
		}
		a := reply["reply:"+name]
		a.Op, a.Value = ":=", append(a.Value, value)
		if len(a.Value) > 1 {
			a.Op = "+="
		}
		reply["reply:"+name] = a
	}
	return reply, nil
}
