package main

import (
	"bytes"
	"context"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"
)

// asProgram is set in the environment of this program when it is run as linesim.
const asProgram = "LINESIM_AS_PROGRAM"

func TestMain(m *testing.M) {
	if os.Getenv(asProgram) != "" {
		main()
	}
	goleak.VerifyTestMain(m)
}

// buffer is what the command prints, read while it prints.
type buffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (b *buffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

func (b *buffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.String()
}

// until waits for a text to be printed.
func (b *buffer) until(t *testing.T, text string) {
	t.Helper()
	for end := time.Now().Add(10 * time.Second); !strings.Contains(b.String(), text); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("%q is not printed:\n%s", text, b.String())
		}
	}
}

func TestTownRuns(t *testing.T) {
	dir := t.TempDir()
	link, socket := filepath.Join(dir, "card"), filepath.Join(dir, "s")
	ctx, stop := context.WithCancel(context.Background())
	in, keyboard := io.Pipe()
	var out, errs buffer
	ended := make(chan int)
	go func() {
		ended <- run(ctx, []string{"-fxo", "1", "-fxs", "1", "-link", link, "-control", socket}, in, &out, &errs)
	}()
	out.until(t, "Ctrl-C ends the town")
	for _, text := range []string{link, "7773660", "5550101    is busy", "ring fxo1 from", "5553001    line fxo1, rings 0.8/0.4/0.8", "ring 5553001 from"} {
		if !strings.Contains(out.String(), text) {
			t.Errorf("%q is not printed:\n%s", text, out.String())
		}
	}
	io.WriteString(keyboard, "phone fxs1 offhook\nnonsense\n")
	out.until(t, "fxs1 off-hook")
	out.until(t, `error: no command "nonsense"`)

	var answer, wrong buffer
	if code := run(ctx, []string{"-control", socket, "-do", "status"}, nil, &answer, &wrong); code != 0 || !strings.Contains(answer.String(), "fxs1   off-hook") {
		t.Errorf("-do status: %d %s%s", code, answer.String(), wrong.String())
	}
	if code := run(ctx, []string{"-control", socket, "-do", "hangup fxo1"}, nil, &answer, &wrong); code != 1 || !strings.Contains(wrong.String(), "line fxo1 has no call") {
		t.Errorf("-do hangup: %d %s", code, wrong.String())
	}
	if code := run(ctx, []string{"-control", socket, "-link", link}, nil, &answer, &wrong); code != 1 || !strings.Contains(wrong.String(), "another town listens") {
		t.Errorf("second town: %d %s", code, wrong.String())
	}
	if _, err := os.Stat(link); err != nil {
		t.Errorf("the second town took the first one's card: %v", err)
	}
	if info, err := os.Stat(socket); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("socket: %v %v", info.Mode(), err)
	}
	stop()
	if code := <-ended; code != 0 {
		t.Errorf("exit code %d: %s", code, errs.String())
	}
	keyboard.Close()
	for _, left := range []string{link, socket} {
		if _, err := os.Lstat(left); err == nil {
			t.Errorf("%s is left over", left)
		}
	}
}

// TestSpanRuns: a T1 instead of jacks, and what there is to try on it.
func TestSpanRuns(t *testing.T) {
	ctx, stop := context.WithCancel(context.Background())
	var out, errs buffer
	ended := make(chan int)
	go func() {
		ended <- run(ctx, []string{"-tdm", "3", "-signalling", "wink-start,fxs-loop-start"}, strings.NewReader("status\n"), &out, &errs)
	}()
	out.until(t, "tdm1   5552001 on-hook, idle")
	for _, text := range []string{`ring tdm1 from 5551234 name "Joe" dial 101`, "alarm signal", "fxs2   on-hook"} {
		if out.until(t, text); strings.Contains(out.String(), "fxo1") {
			t.Errorf("there is an FXO line:\n%s", out.String())
		}
	}
	stop()
	if code := <-ended; code != 0 {
		t.Errorf("exit code %d: %s", code, errs.String())
	}
}

func TestWrongFlags(t *testing.T) {
	dir := t.TempDir()
	town, file := filepath.Join(dir, "town.toml"), filepath.Join(dir, "file")
	os.WriteFile(town, []byte("[[subscriber]]\nnumbr = \"1\"\n"), 0o600)
	os.WriteFile(file, nil, 0o600)
	for _, c := range []struct {
		args string
		code int
		want string
	}{
		{"-h", 0, "linesim runs a small town"},
		{"serve", 2, `"serve" is not a flag`},
		{"-fxo 30 -fxs 30", 2, "1 to 32 ports"},
		{"-fxo 0 -fxs 0", 2, "1 to 32 ports"},
		{"-tdm 33", 2, "1 to 32 ports"},
		{"-tdm 2 -signalling wink", 2, "is not one of wink-start"},
		{"-signalling wink-start", 2, "add -tdm 24"},
		{"-cards 0", 2, "write 1 to 8"},
		{"-errors 3", 2, "0 to 0.5"},
		{"-do status", 2, "-do needs -control"},
		{"-control " + dir + "/none -do status", 1, "no town listens"},
		{"-town " + town, 2, "town.toml:2"},
		{"-town " + town + " -fxo 3", 2, "contradict"},
		{"-country zz", 1, "zz"},
		{"-bogus", 2, "bogus"},
		{"-link " + file, 1, "is not a symbolic link"},
	} {
		var out, errs bytes.Buffer
		ctx, stop := context.WithTimeout(context.Background(), 2*time.Second)
		if code := run(ctx, strings.Fields(c.args), strings.NewReader(""), &out, &errs); code != c.code || !strings.Contains(errs.String(), c.want) {
			t.Errorf("%s: %d, %q, want %d and %q", c.args, code, errs.String(), c.code, c.want)
		}
		stop()
	}
}
