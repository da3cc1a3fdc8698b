package main

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"crosspoint/b2bua/mwi"
)

// informed is an office that knows what a test tells it.
type informed struct{}

func (informed) status() statusView {
	return statusView{File: "office.toml", PID: 4711, Listen: []string{"udp:127.0.0.1:5060"}, Started: time.Now(),
		Registrations: []registrationView{{"101", "sip:101@127.0.0.1:5070", time.Now().Add(time.Minute)}},
		Peers:         []peerView{{Peer: "itsp", State: "registered", Address: "192.0.2.9:5060", Until: time.Now().Add(time.Hour)}},
		Mailboxes:     []peerView{{Peer: "itsp", Mailbox: "101", State: "failed", Status: 489, Problem: "it knows no messages"}},
		Cards:         []cardView{{"card1", "/dev/ttyUSB0", "up", true}}}
}

func (informed) lines() []lineView {
	loud := -12.0
	return []lineView{{Line: "fxo1", Kind: "fxo", Port: "card1:1", State: "talking with 5551234", Since: time.Now(), Heard: &loud,
		Fault: "no dial tone after 3s", FaultAt: time.Now(), Last: []lastCallOfLine{{At: time.Now(), Number: "5551234", Talked: 3, Ended: "hung up"},
			{At: time.Now(), Incoming: true, Number: "5551235", Dialed: "+12015550102", Ended: "hung up"}}}}
}

func (informed) calls() []callView {
	return []callView{
		{ID: "7f3", State: "ended", From: `101 "Alice"`, Dialed: "102", Answerer: "102", Why: "102 hung up", Began: time.Now()},
		{ID: "7f4", State: "talking", From: `101 "Alice"`, Dialed: "103", Answerer: "103", Began: time.Now()},
	}
}

func (informed) history(most int) ([]callView, error) {
	return []callView{{ID: "7e0", State: "ended", From: "101", Why: fmt.Sprintf("asked for %d", most), Began: time.Now().Add(-48 * time.Hour)}}, nil
}

func (informed) dial(from, number string) (string, error) {
	if from != "101" {
		return "", fmt.Errorf("%s is no phone", from)
	}
	return "7f5 to " + number, nil
}

func (informed) reload() reloadView {
	return reloadView{File: "office.toml", Reloaded: true, Changed: []string{"+ phone 103"}, Restart: []string{`rtp.ports "1-2" -> "3-4"`}}
}

func (informed) testLine(_ context.Context, line string) (lineTestView, error) {
	switch line {
	case "fxo1":
		return lineTestView{Line: line, Port: "card1:1", OK: true, Steps: []lineTestStep{{"battery", true, "present", ""}}}, nil
	case "fxo2":
		return lineTestView{Line: line, Port: "card1:2", Steps: []lineTestStep{{"battery", false, "none", "is the wall jack plugged in?"}}}, nil
	}
	return lineTestView{}, fmt.Errorf("there is no line %q", line)
}

func (informed) busyOutLine(line string, out bool) (lineView, error) {
	if line != "fxo1" {
		return lineView{}, fmt.Errorf("there is no line %q", line)
	}
	return lineView{Line: line, State: map[bool]string{true: "busied out", false: "idle"}[out]}, nil
}

func (informed) messages() []messagesView {
	return []messagesView{viewMessages("101", mwi.Summary{Waiting: true, New: 2, Old: 1})}
}

func (informed) setMessages(extension string, fresh, old int) (messagesView, error) {
	if extension != "101" {
		return messagesView{}, fmt.Errorf("%s is no phone", extension)
	}
	return viewMessages(extension, mwi.Summary{Waiting: fresh > 0, New: fresh, Old: old}), nil
}

func (informed) metrics() string { return "# a page\n" }

func (informed) call(id string, times bool) (callView, bool) {
	if id == "nobody" {
		return callView{}, false
	}
	return callView{ID: orElse(id, "7f4"), From: "101", Dialed: "102", Figure: fmt.Sprintf("figure, times %v\n", times), Trail: "trail\n",
		CallerMOS: 4.36, AnswererMOS: 3.2, Tape: "/tapes/7f4.wav", TapeFault: "not whole: disk full", Audio: []audioView{{Leg: "101", Received: 50, JitterMS: 2, MOS: 4.36}}}, true
}

func openTestControl(t *testing.T) (path string) {
	t.Helper()
	path = filepath.Join(t.TempDir(), "run", "control")
	c, err := openControl(path, informed{}, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := c.Close(); err != nil {
			t.Error(err)
		}
		if _, err := os.Stat(path); !os.IsNotExist(err) {
			t.Errorf("the socket is left: %v", err)
		}
	})
	return path
}

func TestControlAnswers(t *testing.T) {
	path := openTestControl(t)
	info, err := os.Stat(path)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the socket's mode is %v %v, not 0600", info.Mode(), err)
	}
	for args, wants := range map[string][]string{
		"status": {"office.toml, process 4711", "udp:127.0.0.1:5060", "card1 at /dev/ttyUSB0: up", "101 at sip:101@127.0.0.1:5070",
			"peer           itsp: registered at 192.0.2.9:5060 for 1h0m0s", "mailbox        at itsp for 101: failed: it knows no messages"},
		"lines":           {"fxo1", "talking with 5551234", "-12 dBm0", "no dial tone after 3s", "a call to 5551234, talked 3 s: hung up", "a call from 5551235 for +12015550102"},
		"calls":           {"7f3", "ended: 102 hung up", "7f4", "talking"},
		"calls --ended 0": {"7f4"},
		"calls --last 3":  {"7e0", "asked for 3", time.Now().Add(-48 * time.Hour).Format(time.DateOnly)},
		"calls --all":     {"asked for -1"},
		"calls 7f4": {"call", "7f4", "how the route was found:\ntrail", "crosspoint ladder 7f4",
			"MOS 4.4 of 4.4: users are very satisfied", "MOS 3.2 of 4.4: many users are dissatisfied", "/tapes/7f4.wav", "not whole: disk full"},
		"calls --json 7f4":       {`"trail": "trail\n"`},
		"dial --from 101 102":    {"7f5 to 102"},
		"reload":                 {"+ phone 103\n", `"3-4"   (after a restart)`, "office.toml: reloaded, 1 changes in force"},
		"reload --json":          {`"reloaded": true`},
		"lines test fxo1":        {"line fxo1 (card1:1)", "ok   battery", "present"},
		"lines busy-out fxo1":    {"line fxo1: busied out"},
		"lines return fxo1":      {"line fxo1: idle"},
		"ladder":                 {"call 7f4", "figure, times false", "audio of 101: 50 packets received, 0 lost, 0 refused; 0 sent; jitter 2 ms; hears with MOS 4.4"},
		"ladder 7f3 --times":     {"call 7f3", "figure, times true"},
		"ladder --trail":         {"route:\ntrail"},
		"lines --json":           {`"line": "fxo1"`},
		"ladder --json 7f3":      {`"id": "7f3"`},
		"metrics":                {"# a page\n"},
		"messages":               {"101  2 new messages, 1 old"},
		"messages --json":        {`"text": "2 new messages, 1 old"`},
		"messages 101 0":         {"101: no messages"},
		"messages 101 1 --old 3": {"101: 1 new message, 3 old"},
		"status --json":          {`"pid": 4711`},
		"calls --json":           {`"why": "102 hung up"`},
		"ladder --json --":       {`"id": "7f4"`},
		"calls --ended 0 -- ":    {"talking"},
	} {
		code, out, complaints := cli(append(strings.Fields(args)[:1:1], append([]string{"--socket", path}, strings.Fields(args)[1:]...)...)...)
		if code != exitOK {
			t.Errorf("%s: code %d: %s", args, code, complaints)
		}
		for _, want := range wants {
			if !strings.Contains(out, want) {
				t.Errorf("%s does not say %q:\n%s", args, want, out)
			}
		}
		if strings.Contains(args, "--json") && !json.Valid([]byte(out)) {
			t.Errorf("%s is no JSON:\n%s", args, out)
		}
	}
	if _, out, _ := cli("calls", "--ended", "0", "--socket", path); strings.Contains(out, "7f3") {
		t.Errorf("calls --ended 0 shows an ended call:\n%s", out)
	}
	for args, want := range map[string]string{"109 1": "109 is no phone", "101 many": `new = "many" is no number of messages`, "101 -- -1": `new = "-1" is no number`, "101 10000": "from 0 to 9999"} {
		if code, _, complaints := cli(append([]string{"messages", "--socket", path}, strings.Fields(args)...)...); code != exitFailed || !strings.Contains(complaints, want) {
			t.Errorf("messages %s: %d %s, want %q", args, code, complaints, want)
		}
	}
	if code, _, complaints := cli("ladder", "--socket", path, "nobody"); code != exitFailed || !strings.Contains(complaints, `no call "nobody"`) {
		t.Errorf("ladder of a call that is not there: %d %s", code, complaints)
	}
}

// TestControlOfFile: the socket is found by the office file.
func TestControlOfFile(t *testing.T) {
	path := openTestControl(t)
	file := write(t, "office.toml", "[control]\nsocket = \""+path+"\"\n"+smallest)
	if code, out, complaints := cli("status", "--config", file); code != exitOK || !strings.Contains(out, "process 4711") {
		t.Errorf("code %d: %s%s", code, out, complaints)
	}
	off := write(t, "office.toml", "[control]\nsocket = \"off\"\n"+smallest)
	if code, _, complaints := cli("status", "--config", off); code != exitFailed || !strings.Contains(complaints, "cannot be asked") {
		t.Errorf("code %d: %s", code, complaints)
	}
	if code, _, complaints := cli("status", "--config", "nowhere.toml"); code != exitFailed || !strings.Contains(complaints, "nowhere.toml") {
		t.Errorf("code %d: %s", code, complaints)
	}
}

func TestControlInUse(t *testing.T) {
	path := openTestControl(t)
	_, err := openControl(path, informed{}, slog.New(slog.DiscardHandler))
	if err == nil || !strings.Contains(err.Error(), "another exchange, process 4711 (office.toml)") {
		t.Errorf("told %v", err)
	}
}

// TestControlLeftBehind: a socket that nobody serves is replaced; a file that
// is no socket is not.
func TestControlLeftBehind(t *testing.T) {
	path := filepath.Join(t.TempDir(), "control")
	l, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	l.(*net.UnixListener).SetUnlinkOnClose(false)
	l.Close()
	c, err := openControl(path, informed{}, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatalf("a socket that was left behind is in the way: %v", err)
	}
	if _, err := (asker{path: path}).status(context.Background()); err != nil {
		t.Error(err)
	}
	c.Close()
	file := write(t, "control", "precious")
	if c, err := openControl(file, informed{}, slog.New(slog.DiscardHandler)); err == nil {
		c.Close()
		t.Error("a file was replaced")
	}
	if text, _ := os.ReadFile(file); string(text) != "precious" {
		t.Errorf("the file holds %q", text)
	}
}
