// Package policyfile reads policies as operators write them: one YAML file per ISP, compiled to an engine.Policy, with
// every mistake of the file found in one run. It ships the policies of five ISPs, runs the test files that stand
// beside policies, and speaks the JSON lines of the verb decide.
//
// It decides nothing itself; package engine does.
package policyfile

import (
	"embed"
	"fmt"
	"io/fs"
	"os"
	"strings"
	_ "time/tzdata" // a policy's timezone must not depend on what the host has installed

	"sekisho/engine"
	"sekisho/engine/yamldoc"
)

//go:embed policies/*.yaml
var policies embed.FS

const (
	policySuffix = ".yaml"
	testSuffix   = ".test.yaml"
)

// Load reads a policy by its shipped name or from a file. A name without a slash and without .yaml is a shipped one.
// The policy is nil when the problems hold more than warnings; a file that cannot be read is one problem.
func Load(nameOrFile string) (*engine.Policy, yamldoc.Problems) {
	src, err := source(nameOrFile)
	if err != nil {
		return nil, yamldoc.Problems{{File: nameOrFile, Line: 1, Column: 1, Text: err.Error()}}
	}
	return Parse(nameOrFile, src)
}

func source(nameOrFile string) ([]byte, error) {
	if strings.Contains(nameOrFile, "/") || strings.HasSuffix(nameOrFile, policySuffix) {
		src, err := os.ReadFile(nameOrFile)
		if err != nil {
			return nil, fmt.Errorf("reading the policy: %w", err)
		}
		return src, nil
	}
	src, ok := Source(nameOrFile)
	if !ok {
		return nil, fmt.Errorf("no policy of this name ships with sekisho, %s; for a file of yours write its path, ./%s.yaml",
			yamldoc.Suggest(nameOrFile, Shipped()), nameOrFile)
	}
	return src, nil
}

// Source returns the text of a shipped policy, for people to start their own from.
func Source(name string) ([]byte, bool) {
	src, err := policies.ReadFile("policies/" + name + policySuffix)
	return src, err == nil && !strings.HasSuffix(name, ".test")
}

// TestSource returns the text of a shipped policy's decision tests.
func TestSource(name string) ([]byte, bool) {
	src, err := policies.ReadFile("policies/" + name + testSuffix)
	return src, err == nil
}

// Shipped names the policies that ship with sekisho, sorted.
func Shipped() []string {
	entries, err := fs.ReadDir(policies, "policies")
	if err != nil {
		panic(err) // embedded: cannot happen in a build that passed its tests
	}
	var names []string
	for _, e := range entries {
		if !strings.HasSuffix(e.Name(), testSuffix) {
			names = append(names, strings.TrimSuffix(e.Name(), policySuffix))
		}
	}
	return names
}

// Parse compiles a policy from the text of a file; file is only used in messages.
func Parse(file string, src []byte) (*engine.Policy, yamldoc.Problems) {
	text, doc, problems := yamldoc.Decode[policyText](file, src)
	if text.Policy == "" && text.Rules == nil && problems.Err() != nil {
		return nil, problems // nothing was read; what follows would be about emptiness
	}
	p, faults := engine.Compile(text.spec())
	found := make([]yamldoc.Problem, 0, len(faults))
	for _, f := range faults {
		if f.Warning && problems.Err() != nil {
			continue // doubts about a rule whose condition could not be read would be idle
		}
		found = append(found, problem(doc, f))
	}
	found = append(found, text.doubtfulWords(doc)...)
	problems = problems.With(found...)
	if problems.Err() != nil {
		return nil, problems
	}
	return p, problems
}

func problem(doc *yamldoc.Document, f engine.Fault) yamldoc.Problem {
	text := f.Text
	if f.Word != "" || f.Known != nil {
		text += ", " + yamldoc.Suggest(f.Word, f.Known)
	}
	p := doc.Problem(f.Path, "%s", text)
	p.Warning = f.Warning
	return p
}

// Schema is the JSON Schema of policy files, for editors.
func Schema() ([]byte, error) {
	return yamldoc.Schema[policyText]("https://sekisho.example/policy.schema.json")
}
