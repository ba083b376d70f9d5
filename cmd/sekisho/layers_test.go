package main

import (
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// ranks are the floors of the house. A package imports only from floors below
// its own; docs/architecture.md says why each stands where it does. A new
// package needs a line here.
var ranks = map[string]int{
	"sekisho/engine":                0,
	"sekisho/engine/yamldoc":        0,
	"sekisho/radius/radiustest":     0,
	"sekisho/dict":                  1,
	"sekisho/dict/acl":              2,
	"sekisho/engine/policyfile":     2,
	"sekisho/store":                 2,
	"sekisho/radius":                2,
	"sekisho/radius/coa":            4,
	"sekisho/store/storetest":       3,
	"sekisho/store/ldapsync":        3,
	"sekisho/radius/session":        3,
	"sekisho/cmd/internal/config":   5,
	"sekisho/cmd/internal/admin":    5,
	"sekisho/cmd/internal/chart":    5,
	"sekisho/cmd/internal/load":     5,
	"sekisho/cmd/internal/metrics":  5,
	"sekisho/cmd/internal/daemon":   6,
	"sekisho/cmd/sekisho":           7,
	"sekisho/cmd/sekisho/peers":     8,
	"sekisho/cmd/sekisho/realparts": 8,
}

const moduleRoot = "../.."

// testsLookUp is how many floors up tests may look: those of the wire see what
// becomes of a session (package session), and that its router is told (coa).
const testsLookUp = 2

func TestImportsRunStrictlyDownwards(t *testing.T) {
	seen := map[string]bool{}
	for file, imports := range goFiles(t) {
		pkg := "sekisho/" + filepath.ToSlash(filepath.Dir(file))
		rank, ok := ranks[pkg]
		if !ok {
			t.Errorf("%s: package %s has no rank: add it where it belongs in layers_test.go", file, pkg)
			continue
		}
		seen[pkg] = true
		for _, imported := range imports {
			below, ours := ranks[imported]
			if !ours || isTest(file) && imported == pkg {
				continue
			}
			if below >= rank && !(isTest(file) && below <= rank+testsLookUp) {
				t.Errorf("%s (rank %d) imports %s (rank %d): imports run downwards only", file, rank, imported, below)
			}
		}
	}
	for pkg := range ranks {
		if !seen[pkg] {
			t.Errorf("package %s has a rank and no file", pkg)
		}
	}
}

// TestOnlyTheWireKnowsLayeh holds that RADIUS packages of that library, and
// the name clash with ours, stay in radius and dict.
func TestOnlyTheWireKnowsLayeh(t *testing.T) {
	for file, imports := range goFiles(t) {
		for _, imported := range imports {
			if strings.HasPrefix(imported, "layeh.com/") && !strings.HasPrefix(file, "radius/") && !strings.HasPrefix(file, "dict/") {
				t.Errorf("%s imports %s: only radius and dict may", file, imported)
			}
		}
	}
}

func isTest(file string) bool { return strings.HasSuffix(file, "_test.go") }

// goFiles returns the imports of every Go file of the module, by its path from
// the root.
func goFiles(t *testing.T) map[string][]string {
	t.Helper()
	files := map[string][]string{}
	err := filepath.WalkDir(moduleRoot, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && (d.Name() == "testdata" || strings.HasPrefix(d.Name(), ".") && path != moduleRoot) {
			return filepath.SkipDir
		}
		if d.IsDir() || filepath.Ext(path) != ".go" {
			return nil
		}
		parsed, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.ImportsOnly)
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(moduleRoot, path)
		if err != nil {
			return err
		}
		imports := []string{}
		for _, i := range parsed.Imports {
			name, err := strconv.Unquote(i.Path.Value)
			if err != nil {
				return err
			}
			imports = append(imports, name)
		}
		files[filepath.ToSlash(rel)] = imports
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}
