package engine

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// pure are the packages that can neither do I/O nor read a clock, except for what forbidden names.
var (
	pure      = []string{"cmp", "fmt", "maps", "net/netip", "reflect", "slices", "strings", "time", "unicode", "unicode/utf8"}
	forbidden = map[string][]string{
		"time": {"Now", "Since", "Until", "Sleep", "After", "Tick", "NewTimer", "NewTicker", "AfterFunc", "Local", "LoadLocation"},
		"fmt":  {"Print", "Printf", "Println", "Scan", "Scanf", "Scanln"},
	}
)

func TestEngineIsPure(t *testing.T) {
	t.Parallel()
	names, err := filepath.Glob("*.go")
	if err != nil || len(names) < 10 {
		t.Fatal(names, err)
	}
	for _, name := range names {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		for _, i := range file.Imports {
			if path := strings.Trim(i.Path.Value, `"`); !slices.Contains(pure, path) {
				t.Errorf("%s imports %s: engine decides from its arguments alone", name, path)
			}
		}
		ast.Inspect(file, func(n ast.Node) bool {
			call, ok := n.(*ast.SelectorExpr)
			if !ok {
				return true
			}
			if x, ok := call.X.(*ast.Ident); ok && slices.Contains(forbidden[x.Name], call.Sel.Name) {
				t.Errorf("%s uses %s.%s: time comes in as a value, nothing goes out", name, x.Name, call.Sel.Name)
			}
			return true
		})
	}
}
