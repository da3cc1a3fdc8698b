package dialplan

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"crosspoint/internal/tomlfile"
)

var update = flag.Bool("update", false, "write what comes out as what is expected; read it before you commit it")

// Each file of testdata/bad has one mistake, and testdata/bad/messages.txt the
// message that it deserves. The folder's other half is the law that a mistake is
// reported once, with its line.
func TestBadFiles(t *testing.T) {
	const messages = "testdata/bad/messages.txt"
	files, err := filepath.Glob("testdata/bad/*.toml")
	if err != nil || len(files) == 0 {
		t.Fatal("no files:", err)
	}
	var got strings.Builder
	for _, file := range files {
		name := filepath.Base(file)
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		problems := problemsOf(t, name, string(text))
		if len(problems) != 1 || problems[0].Line == 0 || problems[0].Warning {
			t.Errorf("%s: %d problems, want one with a line:\n%s", name, len(problems), tomlfile.Text(problems))
		}
		got.WriteString(tomlfile.Text(problems))
	}
	if *update {
		if err := os.WriteFile(messages, []byte(got.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(messages)
	if err != nil {
		t.Fatal(err)
	}
	compareLines(t, got.String(), string(want))
}

func problemsOf(t testing.TB, name, text string) []tomlfile.Problem {
	config, problems := decode(t, name, text)
	if tomlfile.Fatal(problems) {
		return problems
	}
	_, more := Compile(config)
	return append(problems, more...)
}

// compareLines points at the first line that differs.
func compareLines(t *testing.T, got, want string) {
	t.Helper()
	g, w := strings.Split(got, "\n"), strings.Split(want, "\n")
	for i := range max(len(g), len(w)) {
		a, b := "(nothing)", "(nothing)"
		if i < len(g) {
			a = g[i]
		}
		if i < len(w) {
			b = w[i]
		}
		if a != b {
			t.Fatalf("line %d:\n got %s\nwant %s", i+1, a, b)
		}
	}
}
