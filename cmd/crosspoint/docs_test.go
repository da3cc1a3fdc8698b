package main

import (
	"flag"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"crosspoint/internal/tomlfile"
)

// top is the project's directory.
var top = filepath.Join("..", "..")

// A block is a fenced piece of a document.
type block struct {
	language, text string
	line           int
}

// blocks are the fenced pieces of a Markdown file.
func blocks(t *testing.T, path string) []block {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var all []block
	var open *block
	for i, line := range strings.Split(string(text), "\n") {
		fence, isFence := strings.CutPrefix(line, "```")
		switch {
		case isFence && open == nil:
			open = &block{language: strings.TrimSpace(fence), line: i + 2}
		case isFence:
			all = append(all, *open)
			open = nil
		case open != nil:
			open.text += line + "\n"
		}
	}
	if open != nil {
		t.Errorf("%s:%d: a block is not closed", path, open.line)
	}
	return all
}

// TestDocuments runs what the documents tell a reader to do. The TOML of a
// document is one office, block by block, or several if a block begins with
// the file's name as a comment; each must be right. Each command must be known:
// it is run, or its flags are read, or its make target is there. Blocks of "toml
// town" are files of linesim's, which tests them, and its commands.
func TestDocuments(t *testing.T) {
	files, err := filepath.Glob(filepath.Join(top, "docs", "*.md"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no documents: %v", err)
	}
	for _, path := range append(files, filepath.Join(top, "README.md")) {
		t.Run(filepath.Base(path), func(t *testing.T) {
			office, line := "", 0
			dir := t.TempDir()
			for _, b := range blocks(t, path) {
				switch b.language {
				case "toml":
					if strings.HasPrefix(b.text, "# ") && strings.HasSuffix(strings.SplitN(b.text, "\n", 2)[0], ".toml") {
						goodOffice(t, path, line, office)
						office, line = "", b.line
					}
					office += b.text
					if err := os.WriteFile(filepath.Join(dir, "office.toml"), []byte(office), 0o600); err != nil {
						t.Fatal(err)
					}
				case "sh":
					for i, command := range strings.Split(strings.TrimSpace(b.text), "\n") {
						if why := tryCommand(t, dir, command); why != "" {
							t.Errorf("%s:%d: %s: %s", path, b.line+i, command, why)
						}
					}
				}
			}
			goodOffice(t, path, line, office)
		})
	}
}

// goodOffice holds a document's TOML to what it claims to be.
func goodOffice(t *testing.T, path string, line int, text string) {
	t.Helper()
	if text == "" {
		return
	}
	if _, plan, problems := decodeConfig("office.toml", []byte(text)); plan == nil {
		t.Errorf("%s: the office whose TOML begins near line %d (lines below count within it):\n%s", path, line, tomlfile.Text(problems))
	}
}

// elsewhere are commands of the system that a document may name.
var elsewhere = regexp.MustCompile(`^(sudo install|sudo useradd|curl |ls -l|ls |systemctl|cd |git clone|go test|go run ./cmd/|linesim|bin/linesim|#|$)`)

// tryCommand tells what is wrong with a command of a document; empty: nothing.
func tryCommand(t *testing.T, dir, line string) string {
	t.Helper()
	if target, ok := strings.CutPrefix(line, "make "); ok {
		makefile, err := os.ReadFile(filepath.Join(top, "Makefile"))
		if err != nil {
			t.Fatal(err)
		}
		target, _, _ = strings.Cut(target, " ")
		if !regexp.MustCompile(`(?m)^` + regexp.QuoteMeta(target) + `:`).Match(makefile) {
			return "the Makefile has no such target"
		}
		return ""
	}
	for _, program := range []string{"bin/crosspoint ", "crosspoint ", "go run ./cmd/crosspoint "} {
		if rest, ok := strings.CutPrefix(line, program); ok {
			return tryCrosspoint(t, dir, words(rest))
		}
	}
	if elsewhere.MatchString(line) {
		return ""
	}
	return "it is not known what this is: teach it to docs_test.go"
}

// tryCrosspoint runs what needs no running exchange; of the rest it reads the flags.
func tryCrosspoint(t *testing.T, dir string, args []string) string {
	t.Helper()
	cmd, ok := find(args[0])
	if !ok {
		return "there is no such command"
	}
	fs := flag.NewFlagSet(cmd.name, flag.ContinueOnError)
	fs.SetOutput(io.Discard)
	cmd.flags(fs)
	if _, err := parse(fs, args[1:]); err != nil {
		return err.Error()
	}
	if cmd.name != "check" && cmd.name != "route" {
		return ""
	}
	for i, arg := range args {
		if arg == "office.toml" {
			args[i] = filepath.Join(dir, arg)
		} else if strings.HasPrefix(arg, "configs/") {
			args[i] = filepath.Join(top, arg)
		} else if strings.HasPrefix(arg, "/") {
			return "" // of the reader's machine
		}
	}
	if code, out, complaints := cli(args...); code == exitUsage || code == exitFailed && cmd.name == "check" {
		return out + complaints
	}
	return ""
}

// words splits a command line as a shell does that knows only quotes.
func words(line string) []string {
	var all []string
	for _, m := range regexp.MustCompile(`"([^"]*)"|'([^']*)'|(\S+)`).FindAllStringSubmatch(line, -1) {
		all = append(all, m[1]+m[2]+m[3])
	}
	return all
}

// TestDocumentsAreLinked: each document is reached from the README, and no link
// of ours leads nowhere.
func TestDocumentsAreLinked(t *testing.T) {
	readme, err := os.ReadFile(filepath.Join(top, "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	files, _ := filepath.Glob(filepath.Join(top, "docs", "*.md"))
	for _, f := range files {
		if !strings.Contains(string(readme), "(docs/"+filepath.Base(f)+")") {
			t.Errorf("the README does not lead to docs/%s", filepath.Base(f))
		}
	}
	link := regexp.MustCompile(`\]\(([^):#]+)(?:#[^)]*)?\)`)
	for _, f := range append(files, filepath.Join(top, "README.md"), filepath.Join(top, "CHANGELOG.md")) {
		text, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range link.FindAllStringSubmatch(string(text), -1) {
			if _, err := os.Stat(filepath.Join(filepath.Dir(f), m[1])); err != nil {
				t.Errorf("%s: the link to %s leads nowhere", f, m[1])
			}
		}
	}
}
