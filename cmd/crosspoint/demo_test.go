package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestDemo runs the demonstration as a newcomer does, at debug level: all is
// right, drawn, measured and recorded, and no secret is told. It takes its
// twenty seconds, for its sockets, its terminal and its clock are real. On a
// machine so busy that audio comes late the demonstration says so and fails:
// then it is given another try.
func TestDemo(t *testing.T) {
	if testing.Short() {
		t.Skip("takes 20 s: run without -short")
	}
	dir := t.TempDir()
	var code int
	var out, log string
	for range 3 {
		code, out, log = cli("demo", "--talk", "2s", "--out", dir, "--log-level", "debug")
		if code == exitOK || !lateAudioOnly(out) {
			break
		}
		t.Logf("audio came late; another try after:\n%s", out)
	}
	if code != exitOK {
		t.Fatalf("code %d\n%s\n%s", code, out, log)
	}
	for _, want := range []string{
		"101              b2bua              102", "DTMF 7773660", "dial tone", "off-hook", "on-hook",
		"Digits that the town heard: 7773660", "Caller ID that 101 saw: 2015550123 TOWN HALL", "Caller that 102 saw: 101 Alice",
		"dBm0", "SNR",
	} {
		if !strings.Contains(out, want) {
			t.Errorf("the demonstration does not show %q:\n%s", want, out)
		}
	}
	for _, name := range []string{"call1-101", "call1-102", "call2-101", "call2-town", "call3-101", "call3-town"} {
		path := filepath.Join(dir, name+"-heard.wav")
		if info, err := os.Stat(path); err != nil || info.Size() < 2*8000 {
			t.Errorf("%s is no recording: %v", path, err)
		}
	}
	noSecrets(t, "the demonstration's output", out)
	noSecrets(t, "the demonstration's log", log)
	if !strings.Contains(log, "level=DEBUG") || !strings.Contains(log, "REGISTER") {
		t.Errorf("the log at debug level shows no REGISTER, so that it proves nothing:\n%.2000s", log)
	}
}

// lateAudioOnly tells whether nothing is wrong but what was heard.
func lateAudioOnly(out string) bool {
	for _, line := range strings.Split(out, "\n") {
		if strings.HasPrefix(line, "WRONG") && !strings.Contains(line, "heard only") && !strings.Contains(line, "signal-to-noise") {
			return false
		}
	}
	return true
}

// noSecrets looks for the passwords of the demonstration, and for credentials.
func noSecrets(t *testing.T, where, text string) {
	t.Helper()
	cfg, _, _ := decodeConfig("demo.toml", demoOffice)
	for _, p := range cfg.Phones {
		if p.Secret != "" && strings.Contains(text, p.Secret) {
			t.Errorf("%s holds the secret of %s", where, p.Extension)
		}
	}
	for _, credential := range []string{"response=", "cnonce=", "Authorization:"} {
		if at := strings.Index(text, credential); at >= 0 {
			t.Errorf("%s holds credentials: %.80s", where, text[at:])
		}
	}
}
