package gateway

import (
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"os"
	"path"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// testsOf are the names of a package's tests.
func testsOf(t *testing.T, dir string) map[string]bool {
	t.Helper()
	names := map[string]bool{}
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if !strings.HasSuffix(e.Name(), "_test.go") {
			continue
		}
		f, err := parser.ParseFile(token.NewFileSet(), path.Join(dir, e.Name()), nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range f.Decls {
			if fn, ok := d.(*ast.FuncDecl); ok && fn.Recv == nil && strings.HasPrefix(fn.Name.Name, "Test") {
				names[fn.Name.Name] = true
			}
		}
	}
	return names
}

// TestComplaintsAreTested: each row of the document names tests that there are,
// and each test of a complaint stands in it.
func TestComplaintsAreTested(t *testing.T) {
	text, err := os.ReadFile("../docs/line-complaints.md")
	if err != nil {
		t.Fatal(err)
	}
	there, named := map[string]map[string]bool{}, map[string]bool{}
	rows := 0
	for row := range strings.Lines(string(text)) {
		if !strings.HasPrefix(row, "| ") || strings.HasPrefix(row, "| Complaint") {
			continue
		}
		rows++
		tests := regexp.MustCompile(`(gateway(?:/\w+)?)\.(Test\w+)`).FindAllStringSubmatch(row, -1)
		if len(tests) == 0 {
			t.Errorf("no test: %s", row)
		}
		for _, test := range tests {
			pkg, name := test[1], test[2]
			if there[pkg] == nil {
				there[pkg] = testsOf(t, "../"+pkg)
			}
			if !there[pkg][name] {
				t.Errorf("there is no %s in %s: %s", name, pkg, row)
			}
			named[pkg+"."+name] = true
		}
	}
	if rows < 10 {
		t.Errorf("%d rows", rows)
	}
	for _, name := range slices.Sorted(maps.Keys(there["gateway"])) {
		if strings.HasPrefix(name, "TestComplaint") && name != t.Name() && !named["gateway."+name] {
			t.Errorf("%s stands in no row", name)
		}
	}
}
