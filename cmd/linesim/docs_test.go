package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"crosspoint/gateway"
	"crosspoint/gateway/jack"
	"crosspoint/gateway/linecard"
	"crosspoint/gateway/linesim"
	"crosspoint/internal/tomlfile"
)

// The tests of this file do what docs/simulator.md tells a reader to do; what it
// says that the exchange then says is in recipes_test.go.

// A piece of the page: a fenced block, or a command in a table.
type piece struct {
	language string // of the block; "row": a table's first column
	text     string
	line     int
}

// A chapter is what stands below a heading, up to the next one.
type chapter struct {
	over, title string // the second-level heading above it, its own
	text        string
	pieces      []piece
}

// town is the chapter's own town; the default one if it has none.
func (c *chapter) town(t *testing.T) linesim.Config {
	t.Helper()
	for _, p := range c.pieces {
		if p.language == "toml town" {
			return townOf(t, p)
		}
	}
	return linesim.Config{}
}

var row = regexp.MustCompile("^\\| `([^`]+)` \\|")

// page is docs/simulator.md.
func page(t *testing.T) (all []*chapter) {
	t.Helper()
	text, err := os.ReadFile("../../docs/simulator.md")
	if err != nil {
		t.Fatal(err)
	}
	now, open := &chapter{}, (*piece)(nil)
	for i, line := range strings.Split(string(text), "\n") {
		fence, isFence := strings.CutPrefix(line, "```")
		title, isTitle := strings.CutPrefix(strings.TrimLeft(line, "#"), " ")
		switch {
		case isFence && open == nil:
			open = &piece{language: fence, line: i + 2}
		case isFence:
			now.pieces, open = append(now.pieces, *open), nil
		case open != nil:
			open.text += line + "\n"
		case isTitle && strings.HasPrefix(line, "### "):
			now = &chapter{over: now.over, title: title}
			all = append(all, now)
		case isTitle && strings.HasPrefix(line, "## "):
			now = &chapter{over: title, title: title}
			all = append(all, now)
		}
		if m := row.FindStringSubmatch(line); m != nil && open == nil {
			now.pieces = append(now.pieces, piece{"row", m[1], i + 1})
		}
		now.text += line + "\n"
	}
	if len(all) < 15 {
		t.Fatalf("%d chapters", len(all))
	}
	return all
}

// townOf loads a town file of the page.
func townOf(t *testing.T, p piece) linesim.Config {
	t.Helper()
	path := filepath.Join(t.TempDir(), "town.toml")
	if err := os.WriteFile(path, []byte(p.text), 0o600); err != nil {
		t.Fatal(err)
	}
	cfg, problems := linesim.Load(path)
	if len(problems) > 0 {
		t.Fatalf("the town of line %d:\n%s", p.line, tomlfile.Text(problems))
	}
	return cfg
}

// TestPageTables gives the commands of each table in its town, one after the
// other, and sees that no command is left out.
func TestPageTables(t *testing.T) {
	there := map[string]bool{"help": true}
	for _, c := range page(t) {
		for _, p := range c.pieces {
			for line := range strings.Lines(p.text) {
				name, _, _ := strings.Cut(strings.TrimSpace(line), " ")
				there[name] = there[name] || p.language == "row" || p.language == "town"
			}
		}
		if c.over != "Commands" {
			continue
		}
		synctest.Test(t, func(t *testing.T) {
			sim, err := linesim.New(c.town(t))
			if err != nil {
				t.Fatal(err)
			}
			defer sim.Close()
			for _, p := range c.pieces {
				if p.language != "row" {
					continue
				}
				if strings.HasPrefix(p.text, "ring ") { // the line has to be free
					for _, l := range sim.Town().Lines() {
						l.HangUp()
					}
				}
				if _, err := sim.Command(p.text); err != nil {
					t.Errorf("line %d: %s: %v", p.line, p.text, err)
				}
				time.Sleep(500 * time.Millisecond)
			}
		})
	}
	sim, err := linesim.New(linesim.Config{})
	if err != nil {
		t.Fatal(err)
	}
	defer sim.Close()
	help, _ := sim.Command("help")
	for _, m := range regexp.MustCompile(`(?m)^(?:\w+ LINE \| )?(\w+)`).FindAllStringSubmatch(help, -1) {
		if !there[m[1]] {
			t.Errorf("the page does not show the command %s", m[1])
		}
	}
}

// TestPageTowns starts the towns of the chapter on town files; the others are
// those of tables and recipes.
func TestPageTowns(t *testing.T) {
	n := 0
	for _, c := range page(t) {
		for _, p := range c.pieces {
			if p.language != "toml town" || c.over != "The town file" {
				continue
			}
			n++
			sim, err := linesim.New(townOf(t, p))
			if err != nil {
				t.Errorf("line %d: %v", p.line, err)
				continue
			}
			sim.Close()
		}
	}
	if n < 2 {
		t.Errorf("%d towns", n)
	}
}

// TestPageInAShell runs the page's linesim: the towns, each for a moment, and
// the questions to the first one.
func TestPageInAShell(t *testing.T) {
	dir := t.TempDir()
	place := strings.NewReplacer("/tmp/card1", filepath.Join(dir, "card1"), "/tmp/town.sock", filepath.Join(dir, "s"), " town.toml", " "+filepath.Join(dir, "town.toml"))
	first, answers := (func())(nil), 0
	for _, c := range page(t) {
		for _, p := range c.pieces {
			if p.language == "toml town" && strings.HasPrefix(p.text, "# town.toml") {
				os.WriteFile(filepath.Join(dir, "town.toml"), []byte(place.Replace(p.text)), 0o600)
			}
		}
	}
	for _, c := range page(t) {
		for _, p := range c.pieces {
			if p.language != "sh" {
				continue
			}
			for line := range strings.Lines(p.text) {
				command, ok := strings.CutPrefix(strings.TrimSpace(line), "bin/linesim ")
				if !ok {
					continue
				}
				flags, do, asks := strings.Cut(place.Replace(command), " -do ")
				switch {
				case asks:
					var out, errs buffer
					if code := run(context.Background(), append(strings.Fields(flags), "-do", strings.Trim(do, "'")), nil, &out, &errs); code != 0 {
						t.Errorf("%s: %s", command, errs.String())
					}
					answers++
				case first == nil:
					first = runTown(t, strings.Fields(flags)...)
					defer func() { first() }()
				default:
					if strings.Contains(flags, "-control") { // the first one's place
						first()
						first = func() {}
					}
					runTown(t, strings.Fields(flags)...)()
				}
			}
		}
	}
	if answers < 8 {
		t.Errorf("%d questions", answers)
	}
}

// runTown runs the command until end.
func runTown(t *testing.T, args ...string) (end func()) {
	t.Helper()
	ctx, stop := context.WithCancel(context.Background())
	var out, errs buffer
	ended := make(chan int)
	go func() { ended <- run(ctx, args, strings.NewReader(""), &out, &errs) }()
	out.until(t, "Ctrl-C ends the town")
	return func() {
		stop()
		if code := <-ended; code != 0 {
			t.Errorf("%s: exit code %d: %s", args, code, errs.String())
		}
	}
}

// TestPageScript runs the page's script in a shell, while a gateway has the
// telephones' lines.
func TestPageScript(t *testing.T) {
	dir := t.TempDir()
	link, socket := filepath.Join(dir, "card1"), filepath.Join(dir, "s")
	defer runTown(t, "-link", link, "-control", socket)()
	card := linecard.New(linecard.Config{Name: "card1", Device: link, Open: linecard.Serial{Path: link}.Open, Log: slog.New(slog.NewTextHandler(io.Discard, nil))})
	defer card.Close()
	g, err := gateway.New(gateway.Config{Lines: []gateway.LineConfig{
		{Name: "fxs1", Kind: jack.FXS, Port: card.Port(3)}, {Name: "fxs2", Kind: jack.FXS, Port: card.Port(4)},
	}})
	if err != nil {
		t.Fatal(err)
	}
	defer g.Close(context.Background())
	os.Mkdir(filepath.Join(dir, "bin"), 0o700)
	program := fmt.Sprintf("#!/bin/sh\n%s=1 exec '%s' \"$@\"\n", asProgram, os.Args[0])
	os.WriteFile(filepath.Join(dir, "bin", "linesim"), []byte(program), 0o700)
	for _, c := range page(t) {
		for _, p := range c.pieces {
			if p.language != "bash" {
				continue
			}
			shell := exec.Command("bash", "-c", strings.ReplaceAll(p.text, "/tmp/town.sock", socket))
			shell.Dir = dir
			shell.Env = append(os.Environ(), "GORACE=atexit_sleep_ms=0") // else each command takes a second under the race detector
			out, err := shell.CombinedOutput()
			if want := "fxs1 hears dial tone\nfxs2 hears dial tone\n"; err != nil || string(out) != want {
				t.Errorf("line %d: %v\n%s", p.line, err, out)
			}
			return
		}
	}
	t.Error("there is no script")
}
