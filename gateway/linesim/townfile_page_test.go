package linesim

import (
	"os"
	"reflect"
	"regexp"
	"strings"
	"testing"
)

// TestTownFileIsDocumented: each key of a town file stands in a sample of
// docs/simulator.md, with each value that it may have.
func TestTownFileIsDocumented(t *testing.T) {
	text, err := os.ReadFile("../../docs/simulator.md")
	if err != nil {
		t.Fatal(err)
	}
	samples := strings.Join(regexp.MustCompile("(?s)```toml town\n.*?```").FindAllString(string(text), -1), "\n")
	var see func(where string, table reflect.Type)
	see = func(where string, table reflect.Type) {
		for i := range table.NumField() {
			f := table.Field(i)
			key, inner := f.Tag.Get("toml"), f.Type
			if key == "" {
				continue
			}
			if inner.Kind() == reflect.Slice {
				inner = inner.Elem()
			}
			if inner.Kind() == reflect.Struct {
				see(where+key+".", inner)
			} else if !regexp.MustCompile(`(?m)(^|[{,] )` + key + ` *=`).MatchString(samples) {
				t.Errorf("no sample has %s%s", where, key)
			}
			for value := range strings.SplitSeq(f.Tag.Get("enum"), ",") {
				if !strings.Contains(samples, value) {
					t.Errorf("no sample names %q of %s%s", value, where, key)
				}
			}
		}
	}
	see("", reflect.TypeFor[townFile]())
}
