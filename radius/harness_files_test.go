package radius_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"iter"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"text/template"

	"sekisho/dict"
	"sekisho/engine"
	"sekisho/radius"
	"sekisho/radius/radiustest"
	"sekisho/store"

	"github.com/goccy/go-yaml"
)

// siteFile says what a setup does. The response window is long where a test
// does not set it: the time of another process does not stand still, and a
// server that a test keeps silent would become a zombie.
const siteFile = `
listen: {auth: {{json .Config.Auth}}, acct: {{json .Config.Acct}}}
admin: {socket: door}
store: {path: store}
policy: ./policy.yaml
nas:
  {{.NAS.Name}}:
    source: {{.NAS.Source}}
    {{with .NAS.Address}}{{if .IsValid}}nas-ip-address: {{.}}{{end}}{{end}}
    nas-identifier: {{json .NAS.Identifier}}
    secret-file: ./nas.secret
    area: {{.NAS.Area}}
    profile: {{if .Profile}}own{{else}}""{{end}}
    require-message-authenticator: {{requirement .NAS.RequireMA}}
    reply-message-authenticator: {{reply .NAS.ReplyMA}}
    limit-proxy-state: {{.NAS.LimitProxyState}}
    max-outstanding: {{.NAS.MaxOutstanding}}
    {{with .Told}}coa: {port: {{.Addr.Port}}}{{end}}
aaa:
  servers:
    {{.Server.Name}}:
      address: {{.Server.Auth.Addr}}
      auth-port: {{.Server.Auth.Port}}
      acct-port: {{.Server.Acct.Port}}
      {{with .Server.Source}}{{if .IsValid}}source: {{.}}{{end}}{{end}}
      secret-file: ./aaa.secret
      require-message-authenticator: {{requirement .Server.RequireMA}}
      proxy-state: {{not .Server.NoProxyState}}
      max-sockets: {{.Server.MaxSockets}}
      response-window: {{or .Server.ResponseWindow "1h"}}
      zombie-period: {{.Server.ZombiePeriod}}
      check-interval: {{.Server.CheckInterval}}
      num-answers-to-alive: {{.Server.AnswersToAlive}}
      revive-interval: {{.Server.ReviveInterval}}
      status-check: {{if .Server.NoStatusCheck}}none{{else}}status-server{{end}}
  pools: {main: {servers: {{.Server.Name}}}}
  realms: {"*": main}
profiles: {{if .Profile}}{own: {{yaml .Profile}}}{{else}}{}{{end}}
limits:
  cleanup-delay: {{.Config.CleanupDelay}}
  max-request-time: {{.Config.RequestTime}}
  decision-budget: {{.Config.DecisionBudget}}
  max-requests: {{.Config.MaxRequests}}
`

const policyFile = `
policy: {{json .Name}}
timezone: UTC
logins:
{{range .Logins}}  - {match: {{json .Match}}, form: {{.Form}}}
{{end}}courses:
{{range .Courses}}  {{.ID}}: {name: {{json .Name}}}
{{end}}actions:
{{range .Actions}}  {{.Name}}: {filter: {{json .Filter}}}
{{end}}rules:
{{range .Rules}}  - {name: {{.Name}}, when: {{json (condition .When)}}, {{with moment .From}}from: {{.}}, {{end}}then: {{.Then}}}
{{end}}otherwise: {{.Otherwise}}
unknown-contract: {{.UnknownContract}}
`

// files writes what a daemon needs into a new directory: its name is short,
// for a socket is made there.
func (s *site) files() string {
	s.Helper()
	_, usual := s.setup.sessions.(atOnce) // a daemon has one
	if s.setup.config.Realms != nil || s.setup.config.NAS != nil || s.setup.latches != nil || s.setup.sessions != nil && !usual {
		s.Fatal("the site file would leave out what this setup has: teach it to say that")
	}
	dir, err := os.MkdirTemp("", "sekisho")
	must(s, err)
	s.Cleanup(func() { os.RemoveAll(dir) })
	write := func(name string, octets []byte) { must(s, os.WriteFile(filepath.Join(dir, name), octets, 0o600)) }
	server := s.server()
	var told *radiustest.Router
	if s.setup.told != nil {
		told = *s.setup.told
	}
	write("site.yaml", s.text(siteFile, map[string]any{"Told": told, "Config": s.setup.config, "NAS": s.setup.nas, "Server": server, "Profile": s.setup.profile}))
	write("policy.yaml", s.text(policyFile, s.setup.policy))
	write("nas.secret", s.setup.nas.Secret.Octets())
	write("aaa.secret", server.Secret.Octets())
	s.keep(filepath.Join(dir, "store"))
	return dir
}

func (s *site) text(of string, data any) []byte {
	s.Helper()
	var text bytes.Buffer
	must(s, template.Must(template.New("").Funcs(spelling).Parse(of)).Execute(&text, data))
	return text.Bytes()
}

// spelling are the words of the files.
var spelling = template.FuncMap{
	"json":        func(v any) (string, error) { text, err := json.Marshal(v); return string(text), err },
	"yaml":        flow,
	"requirement": func(r radius.Requirement) string { return [...]string{"no", "auto", "require"}[r] },
	"reply":       func(r radius.ReplyMA) string { return [...]string{"always", "echo", "never"}[r] },
	"condition":   condition,
	"moment":      moment,
}

func flow(p *dict.ProfileSpec) (string, error) {
	text, err := yaml.MarshalWithOptions(p, yaml.JSON())
	return strings.TrimSpace(string(text)), err
}

// condition says what a rule asks: lists by the names of their fields.
func condition(c engine.Condition) map[string]any {
	when, fields := map[string]any{}, reflect.ValueOf(c)
	for i := range fields.NumField() {
		if list, ok := fields.Field(i).Interface().([]string); ok && list != nil {
			when[strings.ToLower(fields.Type().Field(i).Name)] = list
		}
	}
	request := map[string][]string{}
	for _, wanted := range c.Request {
		request[wanted.Name] = wanted.Values
	}
	when["request"] = request
	return when
}

func moment(t engine.Timing) string {
	if !t.Set() {
		return ""
	}
	return t.At.UTC().Format("2006-01-02T15:04:05")
}

// keep makes a store of the subscribers.
func (s *site) keep(file string) {
	s.Helper()
	db, err := store.Open(file, store.Options{})
	must(s, err)
	_, err = db.ImportContracts(s.Context(), store.By{Who: "test"}, s.rows(), store.ImportOptions{})
	must(s, errors.Join(err, db.Close()))
}

// rows yields the contracts as the store takes them.
func (c contracts) rows(yield func(engine.Contract, error) bool) {
	for account, contract := range c {
		contract.Account = account
		if !yield(contract, nil) {
			return
		}
	}
}

func (s *site) rows() iter.Seq2[engine.Contract, error] {
	s.Helper()
	switch known := s.setup.subscribers.(type) {
	case contracts:
		return known.rows
	case *granting:
		return known.rows
	case broken:
		return func(func(engine.Contract, error) bool) {}
	}
	s.Fatal("no store can hold these subscribers")
	return nil
}
