package yamldoc

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/lexer"
	"github.com/goccy/go-yaml/parser"
	"github.com/goccy/go-yaml/token"
)

const (
	maxBytes = 16 << 20 // larger than any policy or site file; keeps the parser's recursion within its stack
	maxDepth = 100      // of brackets, or of list dashes on one line
)

// parse gives the one document of a file, or the reason why there is none.
func parse(file string, src []byte) (root ast.Node, problem *Problem) {
	defer func() { // the parser has panicked on damaged input before; an operator wants a message, not a trace
		if r := recover(); r != nil {
			root, problem = nil, &Problem{File: file, Line: 1, Column: 1, Text: fmt.Sprintf("not readable as YAML (%v)", r)}
		}
	}()
	src = bytes.TrimPrefix(src, []byte("\ufeff"))
	if p := unreadable(src); p != nil {
		p.File = file
		return nil, p
	}
	tree, err := parser.ParseBytes(src, 0, parser.AllowDuplicateMapKey())
	if err != nil {
		return nil, syntaxProblem(file, src, err)
	}
	return onlyDocument(file, tree)
}

// unreadable finds what must not reach the parser at all.
func unreadable(src []byte) *Problem {
	if len(src) > maxBytes {
		return &Problem{Line: 1, Column: 1, Text: fmt.Sprintf("the file is larger than %d MB", maxBytes>>20)}
	}
	line := 1
	for i, text := range bytes.Split(src, []byte("\n")) {
		if line = i + 1; !utf8.Valid(text) {
			return &Problem{Line: line, Column: 1, Text: "the line is not UTF-8 text"}
		}
	}
	return tooDeep(src)
}

// tooDeep guards the recursive parser: a stack overflow could not be recovered.
func tooDeep(src []byte) *Problem {
	depth, marks, line := 0, 0, 0
	for _, t := range lexer.Tokenize(string(src)) {
		switch t.Type {
		case token.SequenceStartType, token.MappingStartType:
			depth++
		case token.SequenceEndType, token.MappingEndType:
			depth--
		case token.SequenceEntryType, token.MappingKeyType, token.AnchorType, token.TagType:
			if t.Position.Line != line {
				marks, line = 0, t.Position.Line
			}
			marks++
		}
		if depth > maxDepth || marks > maxDepth {
			return &Problem{Line: t.Position.Line, Column: t.Position.Column, Text: fmt.Sprintf("nested deeper than %d levels", maxDepth)}
		}
	}
	return nil
}

func onlyDocument(file string, tree *ast.File) (ast.Node, *Problem) {
	var root ast.Node
	for _, doc := range tree.Docs {
		switch body := doc.Body; {
		case body == nil || body.Type() == ast.CommentType || body.Type() == ast.DirectiveType:
		case root == nil:
			root = body
		default:
			line, column := position(body)
			return nil, &Problem{File: file, Line: line, Column: column, Text: "a second document starts here; expected one document per file (remove the --- line)"}
		}
	}
	if root == nil {
		return nil, &Problem{File: file, Line: 1, Column: 1, Text: "the file is empty"}
	}
	return root, nil
}

// plainSyntax says the parser's commonest complaints in an operator's words.
var plainSyntax = []struct{ parser, plain string }{
	{"found character '\t' that cannot start", "a tab is used for indentation; use spaces"},
	{"mapping value is not allowed in this context", "a second \": \" on one line; put the text in quotes, or start a new line for the key"},
	{"could not find end character of", "the closing quote is missing"},
	{"',' or ']' must be specified", "the list is not closed: expected \",\" or \"]\""},
	{"',' or '}' must be specified", "the mapping is not closed: expected \",\" or \"}\""},
	{"is a reserved character", "a value cannot start with this character; put it in quotes"},
	{"non-map value is specified", "expected \"key: value\""},
	{"unexpected key name", "expected \"key: value\""},
	{"value is not allowed in this context", "the indentation does not fit the lines above"},
}

func syntaxProblem(file string, src []byte, err error) *Problem {
	p := &Problem{File: file, Line: 1, Column: 1, Text: "not valid YAML: " + err.Error()}
	var y yaml.Error
	if errors.As(err, &y) {
		p.Text = "not valid YAML: " + y.GetMessage()
		if t := y.GetToken(); t != nil && t.Position != nil {
			p.Line, p.Column = t.Position.Line, t.Position.Column
		}
	}
	for _, s := range plainSyntax {
		if strings.Contains(err.Error(), s.parser) {
			p.Text = "not valid YAML: " + s.plain
			break
		}
	}
	if tabbed := tabIndented(src, p.Line); tabbed {
		p.Text = "not valid YAML: a tab is used for indentation; use spaces"
	}
	return p
}

// tabIndented looks at the line itself: the parser words the same mistake in several ways.
func tabIndented(src []byte, line int) bool {
	lines := bytes.Split(src, []byte("\n"))
	if line < 1 || line > len(lines) {
		return false
	}
	text := lines[line-1]
	indent := text[:len(text)-len(bytes.TrimLeft(text, " \t"))]
	return bytes.ContainsRune(indent, '\t')
}
