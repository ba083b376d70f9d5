package yamldoc

import (
	"fmt"
	"strings"

	"github.com/goccy/go-yaml/ast"
)

// maxAliases bounds how long a chain of anchors and merge keys is followed; it also ends circles.
const maxAliases = 20

// resolve takes anchors, aliases and tags off a node. It is nil when an alias leads nowhere.
func (d *Document) resolve(n ast.Node) ast.Node {
	for range maxAliases {
		switch x := n.(type) {
		case *ast.AnchorNode:
			n = x.Value
		case *ast.TagNode:
			n = x.Value
		case *ast.AliasNode:
			n = d.anchors[aliasName(x)]
		default:
			return n
		}
	}
	return nil
}

func aliasName(a *ast.AliasNode) string {
	if a.Value == nil {
		return ""
	}
	return a.Value.GetToken().Value
}

// An entry is one key of a mapping; of a merge key (<<) it is one key of the mapping merged in.
type entry struct {
	key    string
	at     ast.Node
	value  ast.Node
	merged bool
	plain  bool // the key is a scalar
}

// place is where to point: the value, or the key when nothing stands after it.
func (e entry) place() ast.Node {
	if _, nothing := e.value.(*ast.NullNode); nothing {
		return e.at
	}
	return e.value
}

// entries lists the keys of a mapping in file order, merged ones last; nil for everything else.
func (d *Document) entries(n ast.Node, depth int) []entry {
	var values []*ast.MappingValueNode
	switch x := d.resolve(n).(type) {
	case *ast.MappingNode:
		values = x.Values
	case *ast.MappingValueNode:
		values = []*ast.MappingValueNode{x}
	}
	var own, merged []entry
	for _, v := range values {
		if v.Key.IsMergeKey() {
			merged = append(merged, d.mergedEntries(v.Value, depth+1)...)
			continue
		}
		key, plain := keyText(v.Key)
		own = append(own, entry{key: key, at: v.Key, value: v.Value, plain: plain})
	}
	return append(own, merged...)
}

func (d *Document) mergedEntries(n ast.Node, depth int) []entry {
	if depth > maxAliases {
		return nil
	}
	var all []entry
	if list, ok := d.resolve(n).(*ast.SequenceNode); ok {
		for _, v := range list.Values {
			all = append(all, d.entries(v, depth)...)
		}
	} else {
		all = d.entries(n, depth)
	}
	for i := range all {
		all[i].merged = true
	}
	return all
}

func keyText(n ast.Node) (string, bool) {
	switch x := n.(type) {
	case *ast.MappingKeyNode:
		return keyText(x.Value)
	case *ast.AnchorNode:
		return keyText(x.Value)
	case *ast.TagNode:
		return keyText(x.Value)
	}
	return scalarText(n)
}

// scalarText is a scalar as the file spells it (numbers keep their leading zeros), quotes taken off.
func scalarText(n ast.Node) (string, bool) {
	switch x := n.(type) {
	case *ast.StringNode:
		return x.Value, true
	case *ast.LiteralNode:
		if x.Value == nil {
			return "", true
		}
		return x.Value.Value, true
	case *ast.IntegerNode, *ast.FloatNode, *ast.BoolNode, *ast.InfinityNode, *ast.NanNode:
		return strings.TrimSpace(n.GetToken().Value), true
	}
	return "", false
}

// position is where a reader looks for a node: a block mapping begins at its first key.
func position(n ast.Node) (line, column int) {
	switch x := n.(type) {
	case nil:
		return 1, 1
	case *ast.MappingNode:
		if !x.IsFlowStyle && len(x.Values) > 0 {
			return position(x.Values[0])
		}
	case *ast.MappingValueNode:
		return position(x.Key)
	}
	if t := n.GetToken(); t != nil && t.Position != nil {
		return t.Position.Line, t.Position.Column
	}
	return 1, 1
}

// found completes "got ..." for any node.
func found(n ast.Node) string {
	switch n.(type) {
	case nil:
		return "an alias of nothing"
	case *ast.NullNode:
		return "nothing"
	case *ast.SequenceNode:
		return "a list"
	case *ast.MappingNode, *ast.MappingValueNode:
		return "a mapping"
	case *ast.StringNode, *ast.LiteralNode:
		return "a string"
	}
	text, _ := scalarText(n)
	return text
}

// foundValue is found with the text of a string.
func foundValue(n ast.Node) string {
	switch n.(type) {
	case *ast.StringNode, *ast.LiteralNode:
		text, _ := scalarText(n)
		return fmt.Sprintf("%q", text)
	}
	return found(n)
}
