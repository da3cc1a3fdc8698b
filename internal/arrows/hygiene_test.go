package arrows

import (
	"bytes"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// machine finds what belongs to one developer's machine: a path below a home
// or a workplace, a package mirror.
var machine = regexp.MustCompile(`(?:^|[\s"'` + "`" + `(=:<>\[])/(?:home|root|Users|work)/[A-Za-z0-9._-]|/tmp/bri` + `ef|GOPR` + `OXY=|index-u` + `rl`)

// text is what the hygiene tests read.
func text(path string) bool {
	switch filepath.Ext(path) {
	case ".go", ".md", ".toml", ".txt", ".sh", ".mod", ".yml", ".yaml", ".json", ".xml", ".cfg", "":
		return true
	}
	return false
}

// eachFile calls f with each text file of the project, its path relative to the top.
func eachFile(t *testing.T, f func(path string, content []byte)) {
	t.Helper()
	top := filepath.Join("..", "..")
	err := filepath.WalkDir(top, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, _ := filepath.Rel(top, path)
		if d.IsDir() {
			if rel == ".git" || rel == "bin" || rel == "out" || rel == "run" {
				return filepath.SkipDir
			}
			return nil
		}
		if !d.Type().IsRegular() || !text(path) {
			return nil
		}
		content, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		if !bytes.ContainsRune(content, 0) {
			f(rel, content)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestNothingOfOneMachine(t *testing.T) {
	eachFile(t, func(path string, content []byte) {
		if at := machine.FindIndex(content); at != nil {
			line := 1 + bytes.Count(content[:at[0]], []byte("\n"))
			t.Errorf("%s:%d: %q belongs to one machine", path, line, content[at[0]:min(at[1]+20, len(content))])
		}
	})
	for _, bad := range []string{"see /ho" + "me/joe/x", `"/wo` + `rk/main"`} {
		if !machine.MatchString(bad) {
			t.Errorf("%q was not noticed", bad)
		}
	}
	for _, good := range []string{"network/memnet", "/dev/ttyUSB0", "https://example.com/home"} {
		if machine.MatchString(good) {
			t.Errorf("%q was refused", good)
		}
	}
}

// TestFilesAreOneIdea keeps a file short enough to be read at once.
func TestFilesAreOneIdea(t *testing.T) {
	const limit = 600
	eachFile(t, func(path string, content []byte) {
		if filepath.Ext(path) != ".go" || strings.HasSuffix(path, "_test.go") {
			return
		}
		if n := bytes.Count(content, []byte("\n")); n > limit {
			t.Errorf("%s has %d lines, more than %d: is it one idea?", path, n, limit)
		}
	})
}

// TestScriptsRun holds the shell scripts to what /bin/sh understands.
func TestScriptsRun(t *testing.T) {
	for _, path := range []string{"scripts/need.sh", "scripts/check.sh", "scripts/test.sh", ".ci/run"} {
		info, err := os.Stat(filepath.Join("..", "..", path))
		if err != nil {
			t.Error(err)
		} else if info.Mode()&0o111 == 0 {
			t.Errorf("%s is not executable", path)
		}
	}
}
