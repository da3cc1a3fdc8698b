package main

import (
	"bytes"
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"go.uber.org/goleak"
)

// TestMain runs the tests, or, in a process that a test has started, the
// program itself.
func TestMain(m *testing.M) {
	if os.Getenv("CROSSPOINT_TEST_MAIN") != "" {
		main()
	}
	goleak.VerifyTestMain(m)
}

// asProgram is this test's binary as the program with a command line.
func asProgram(args ...string) *exec.Cmd {
	cmd := exec.Command(os.Args[0], args...)
	cmd.Env = append(os.Environ(), "CROSSPOINT_TEST_MAIN=1")
	return cmd
}

// command runs a command line in this process.
func cli(args ...string) (code int, out, complaints string) {
	var o, e bytes.Buffer
	code = run(context.Background(), console{&o, &e}, args)
	return code, o.String(), e.String()
}

func write(t *testing.T, name, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestCommandLine(t *testing.T) {
	demo := filepath.Join("..", "..", "configs", "demo.toml")
	for _, c := range []struct {
		args string
		code int
		out  string // in the output
		err  string // in the complaints
	}{
		{"", exitUsage, "", "Usage: crosspoint COMMAND"},
		{"help", exitOK, "serve", ""},
		{"--help", exitOK, "ladder", ""},
		{"help serve", exitOK, "SIGTERM", ""},
		{"serve -h", exitOK, "--log-level", ""},
		{"help srve", exitUsage, "", `no command "srve"`},
		{"srve", exitUsage, "", `no command "srve"`},
		{"serve", exitUsage, "", "name the office FILE"},
		{"serve a b", exitUsage, "", "name one office FILE, not 2"},
		{"serve nowhere.toml", exitFailed, "", "nowhere.toml"},
		{"serve --volume 11 a", exitUsage, "", "volume"},
		{"check " + demo, exitOK, "demo.toml: good", ""},
		{"check --format json " + demo, exitOK, "[]", ""},
		{"check " + demo + " --format json", exitOK, "[]", ""},
		{"check --format yaml " + demo, exitUsage, "", "not text or json"},
		{"check", exitUsage, "", "name the office FILE"},
		{"route --config " + demo + " --from 101 102", exitOK, "rings 102", ""},
		{"route --config " + demo + " --from 101 --brief 7773660;phone-context=p1234", exitOK, "pstn 7773660\n", ""},
		{"route --config " + demo + " --from 101 --brief 7773660,phone-context=p1234", exitOK, "pstn 7773660\n", ""},
		{"route --config " + demo + " --from 104 95551234", exitFailed, "refused 403", ""},
		{"route --config " + demo + " --from 101 --json 102", exitOK, `"brief": "102"`, ""},
		{"route --config " + demo + " --from 101 --no-answer 102", exitOK, "when nobody answers", ""},
		{"route --config " + demo + " --from 101 --json --no-answer 102", exitOK, `"unanswered": [`, ""},
		{"route --config " + demo + " --from 101 --alert-info <Bellcore-dr2> 102", exitOK, `rings 102, ring "dr2"`, ""},
		{"schema", exitOK, `"keep_calls": {`, ""},
		{"schema now", exitUsage, "", `"now" is one word too many`},
		{"dial --from 101", exitUsage, "", "--from and one NUMBER"},
		{"messages 101", exitUsage, "", "name an EXTENSION and how many NEW"},
		{"help messages", exitOK, "puts its lamp out", ""},
		{"calls --last -2", exitUsage, "", "--last -2"},
		{"calls 1 2", exitUsage, "", "one word too many"},
		{"route --config " + demo + " --from 110 102", exitFailed, "", `"110" is no phone`},
		{"route --config " + demo + " --from 101 --at yesterday 102", exitFailed, "", "yesterday"},
		{"route --from 101 102", exitUsage, "", "--config and --from"},
		{"route --config " + demo + " --from 101", exitUsage, "", "name one NUMBER"},
		{"lines --socket /nowhere/socket", exitFailed, "", "no exchange answers at /nowhere/socket"},
		{"lines now", exitUsage, "", `"now" is not test, busy-out or return`},
		{"calls --socket a --config b", exitUsage, "", "not both"},
		{"ladder 1 2", exitUsage, "", "one word too many"},
		{"demo --talk 1h", exitUsage, "", "not between 1s and 5s"},
		{"demo now", exitUsage, "", "one word too many"},
	} {
		code, out, complaints := cli(strings.Fields(c.args)...)
		if code != c.code || !strings.Contains(out, c.out) || !strings.Contains(complaints, c.err) {
			t.Errorf("crosspoint %s: code %d, not %d\nout: %s\nerr: %s\nwanted in them: %q and %q", c.args, code, c.code, out, complaints, c.out, c.err)
		}
	}
}

// TestUsageNamesAll: no command or flag lacks its explanation.
func TestUsageNamesAll(t *testing.T) {
	_, out, _ := cli("help")
	for _, cmd := range commands() {
		if !strings.Contains(out, "  "+cmd.name+" ") {
			t.Errorf("help does not list %s", cmd.name)
		}
		if _, text, _ := cli("help", cmd.name); !strings.Contains(text, cmd.brief) || strings.Contains(text, "string\n") {
			t.Errorf("help %s does not explain all:\n%s", cmd.name, text)
		}
	}
}
