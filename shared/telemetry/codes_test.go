package telemetry

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// The set of reasons is closed: it is what the source can say.
func TestTheReasonsAreThoseThatTheSourceHas(t *testing.T) {
	want := map[string]bool{"granted": true, "client_gone": true}
	for _, files := range sources(t) {
		takers := takersOf(files)
		for _, f := range files {
			collect(f, takers, want)
		}
	}
	if got, want := slices.Sorted(slices.Values(reasons[:])), slices.Sorted(maps.Keys(want)); !slices.Equal(got, want) {
		t.Errorf("codes.go differs from the source; it should hold\n\t\"%s\",", strings.Join(want, `", "`))
	}
}

// sources are the files of each package that can refuse a call.
func sources(t *testing.T) map[string][]*ast.File {
	t.Helper()
	out, set := map[string][]*ast.File{}, token.NewFileSet()
	err := filepath.WalkDir("..", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") || strings.Contains(path, "assertion/verify") || strings.Contains(path, "telemetry") {
			return err
		}
		f, err := parser.ParseFile(set, path, nil, 0)
		out[filepath.Dir(path)] = append(out[filepath.Dir(path)], f)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// takersOf are the functions of a package with a parameter "code", and its place.
func takersOf(files []*ast.File) map[string]int {
	takers := map[string]int{}
	for _, f := range files {
		for _, d := range f.Decls {
			fn, ok := d.(*ast.FuncDecl)
			if !ok {
				continue
			}
			at := 0
			for _, p := range fn.Type.Params.List {
				for _, name := range p.Names {
					if name.Name == "code" {
						takers[fn.Name.Name] = at
					}
					at++
				}
			}
		}
	}
	return takers
}

func collect(f *ast.File, takers map[string]int, into map[string]bool) {
	add := func(e ast.Expr) {
		if lit, ok := e.(*ast.BasicLit); ok && lit.Kind == token.STRING {
			if s, _ := strconv.Unquote(lit.Value); regexp.MustCompile(`^[a-z][a-z_0-9]+$`).MatchString(s) {
				into[s] = true
			}
		}
	}
	ast.Inspect(f, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.CallExpr:
			switch fn := n.Fun.(type) {
			case *ast.SelectorExpr:
				if pkg, ok := fn.X.(*ast.Ident); ok && pkg.Name == "refusal" && fn.Sel.Name == "New" {
					add(n.Args[1])
				} else if at, ok := takers[fn.Sel.Name]; ok && at < len(n.Args) {
					add(n.Args[at])
				}
			case *ast.Ident:
				if at, ok := takers[fn.Name]; ok && at < len(n.Args) {
					add(n.Args[at])
				}
			}
		case *ast.AssignStmt:
			for i, l := range n.Lhs {
				name := ""
				switch l := l.(type) {
				case *ast.Ident:
					name = l.Name
				case *ast.SelectorExpr:
					name = l.Sel.Name
				}
				if (name == "code" || name == "Code") && i < len(n.Rhs) {
					add(n.Rhs[i])
				}
			}
		}
		return true
	})
}
