package main

import (
	"context"
	"os"
	"strings"
	"testing"
	"time"
)

const modemOffice = testOffice + `
[[card]]
name = "modem1"
port = "sim"
kind = "modem"
[[line]]
name = "fxo1"
card = "modem1"
port = 1
kind = "fxo"
incoming = "101"
[[trunk]]
name  = "pstn"
lines = ["fxo1"]
[[rule]]
dial = "777xxxx"
to = "pstn"
class = "local"
[emergency]
to = "pstn"
place = "here"
`

// TestModemOffice: a phone calls the town over a voice modem on a terminal; the
// line is tested, taken out of service and put back over the control socket.
func TestModemOffice(t *testing.T) {
	socket := t.TempDir() + "/control"
	o, _ := serveTest(t, strings.Replace(modemOffice, `socket = "off"`, `socket = "`+socket+`"`, 1))
	bob := phoneOf(t, o, "102")
	soon(t, "the modem is in service", func() bool { return o.lines()[0].Ready })
	if s := o.status().Cards; len(s) != 1 || !strings.Contains(s[0].State, "V.253") || !strings.Contains(s[0].State, "µ-law") {
		t.Errorf("cards %+v", s)
	}
	out, err := bob.Call(context.Background(), "7773660")
	if err != nil {
		t.Fatal(err)
	}
	soon(t, "the town answers", closed(out.Answered()))
	soon(t, "the town is heard", func() bool { l := o.lines()[0]; return l.Heard != nil && *l.Heard > -40 })
	if code, said, _ := cli("lines", "--socket", socket, "busy-out", "fxo1"); code != 0 || !strings.Contains(said, "goes on") {
		t.Errorf("busy-out: %d %s", code, said)
	}
	out.Hangup()
	soon(t, "the line is at rest", func() bool { return o.lines()[0].State == "busied out" })
	if failed, err := bob.Call(context.Background(), "7773660"); err == nil {
		soon(t, "a call over a line that is out of service fails", closed(failed.Done()))
	}
	if code, said, _ := cli("lines", "--socket", socket, "return", "fxo1"); code != 0 || !strings.Contains(said, "line fxo1: idle") {
		t.Errorf("return: %d %s", code, said)
	}
	if os.Getenv("CROSSPOINT_REAL") != "" { // the test waits for 12 s
		began := time.Now()
		code, said, wrong := cli("lines", "--socket", socket, "test", "fxo1")
		if code != 0 || !strings.Contains(said, "echo return loss") || strings.Contains(said, "BAD") || time.Since(began) > 20*time.Second {
			t.Errorf("test: %d after %v\n%s%s", code, time.Since(began), said, wrong)
		}
	}
}

// TestLineWorkMistakes: what is wrong with the command is said.
func TestLineWorkMistakes(t *testing.T) {
	socket := openTestControl(t)
	for args, want := range map[string]struct {
		code int
		says string
	}{
		"fix fxo1":       {exitUsage, `"fix" is not test, busy-out or return`},
		"test":           {exitUsage, "which line?"},
		"test fxo1 fxo2": {exitUsage, `"fxo2" is one word too many`},
		"test fxo9":      {exitFailed, `there is no line "fxo9"`},
		"busy-out fxo9":  {exitFailed, `there is no line "fxo9"`},
		"test fxo2":      {exitFailed, ""},
	} {
		code, out, err := cli(append([]string{"lines", "--socket", socket}, strings.Fields(args)...)...)
		if code != want.code || !strings.Contains(err, want.says) {
			t.Errorf("%s: %d %s%s", args, code, out, err)
		}
		if args == "test fxo2" && (!strings.Contains(out, "BAD") || !strings.Contains(out, "wall jack")) {
			t.Errorf("%s: %s", args, out)
		}
	}
}
