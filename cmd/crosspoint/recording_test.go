package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"crosspoint/media/wav"
)

// guideBlock is a block of the operator's guide, by its first line.
func guideBlock(t *testing.T, first string) string {
	t.Helper()
	for _, b := range blocks(t, filepath.Join(top, "docs", "operators-guide.md")) {
		if strings.HasPrefix(b.text, first+"\n") {
			return "\n" + b.text
		}
	}
	t.Fatalf("the operator's guide has no block that begins with %s", first)
	return ""
}

// A call is recorded in stereo from its answer to its end, in a file that only
// its owner can read, if the file says what the operator's guide does.
func TestCallsAreRecorded(t *testing.T) {
	dir := t.TempDir()
	o, _ := serveTest(t, testOffice+strings.ReplaceAll(guideBlock(t, "[recording]"), "/var/lib/crosspoint/recordings", dir))
	alice, bob := phoneOf(t, o, "101"), phoneOf(t, o, "102")
	call, in := connect(t, alice, bob, "102")
	time.Sleep(300 * time.Millisecond) // real sockets: something to record
	call.Hangup()
	soon(t, "the hang-up arrives", closed(in.Done()))
	soon(t, "the call has ended", func() bool { return len(o.exchange.Ended()) == 1 })
	files, err := filepath.Glob(filepath.Join(dir, "*-101-102.wav"))
	if err != nil || len(files) != 1 {
		t.Fatalf("recordings: %v %v", files, err)
	}
	info, err := os.Stat(files[0])
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v, permissions %v", err, info.Mode())
	}
	if r := o.exchange.Ended()[0]; r.Tape != files[0] || r.TapeFault != "" {
		t.Errorf("the record says %q %q", r.Tape, r.TapeFault)
	}
	f, err := os.Open(files[0])
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	r, err := wav.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	if got := r.Format(); got.Channels != 2 || got.Rate != 8000 {
		t.Errorf("recorded as %s", got)
	}
	if info.Size() < 8000*2*2/5 { // 200 ms
		t.Errorf("%d bytes for 300 ms", info.Size())
	}
}

func TestOnlyThoseNamedAreRecorded(t *testing.T) {
	dir := t.TempDir()
	o, _ := serveTest(t, testOffice+"\n[[phone]]\nextension = \"103\"\nsecret = \"carol-Elm9-river\"\n"+fmt.Sprintf("\n[recording]\ndirectory = %q\nof = [\"103\"]\n", dir))
	alice, bob := phoneOf(t, o, "101"), phoneOf(t, o, "102")
	call, in := connect(t, alice, bob, "102")
	call.Hangup()
	soon(t, "the hang-up arrives", closed(in.Done()))
	soon(t, "the call has ended", func() bool { return len(o.exchange.Ended()) == 1 })
	if left, _ := os.ReadDir(dir); len(left) != 0 {
		t.Errorf("recorded: %v", left)
	}
}

func TestRecordingNeedsItsDirectory(t *testing.T) {
	r := Recording{Directory: filepath.Join(t.TempDir(), "missing")}
	if err := r.checkDirectory(); err == nil || !strings.Contains(err.Error(), "make it") {
		t.Errorf("a directory that is not there: %v", err)
	}
	if err := (Recording{}).checkDirectory(); err != nil {
		t.Error(err)
	}
}

func TestFileNamesAreHarmless(t *testing.T) {
	for given, want := range map[string]string{"+4930555": "+4930555", "../../etc/passwd": "______etc_passwd", "": "", strings.Repeat("9", 99): strings.Repeat("9", 32)} {
		if got := plain(given); got != want {
			t.Errorf("%q becomes %q, want %q", given, got, want)
		}
	}
}
