package child

import (
	"go/ast"
	"go/parser"
	"go/token"
	"reflect"
	"testing"

	"github.com/cginit/cginit/init/config"
)

// TestEveryFieldIsAssumed finds a field of config.Identity that no code of this package takes up: it
// would arrive at the exec helper and do nothing.
func TestEveryFieldIsAssumed(t *testing.T) {
	file, err := parser.ParseFile(token.NewFileSet(), "identity_linux.go", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	used := map[string]bool{}
	ast.Inspect(file, func(n ast.Node) bool {
		if s, ok := n.(*ast.SelectorExpr); ok {
			if of, ok := s.X.(*ast.Ident); ok && of.Name == "id" {
				used[s.Sel.Name] = true
			}
		}
		return true
	})
	for field := range reflect.TypeFor[config.Identity]().Fields() {
		if !used[field.Name] {
			t.Errorf("nothing in identity_linux.go uses id.%s", field.Name)
		}
	}
}
