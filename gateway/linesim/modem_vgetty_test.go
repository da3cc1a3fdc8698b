package linesim_test

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"crosspoint/gateway/linesim"
	"crosspoint/internal/witness"
	"crosspoint/media/measure"
)

// incoming is where vgetty keeps what callers say, by the configuration that
// Debian installs.
const incoming = "/var/spool/voice/incoming"

// TestModemAnsweredByVgetty: the answering machine of mgetty-voice takes the
// modem up by itself, reads who calls from the modem's lines between two rings,
// answers, and records what the caller says until the line tells that he has
// hung up. It answers at the third ring, so that the town is one that rings
// quickly.
func TestModemAnsweredByVgetty(t *testing.T) {
	if os.Getenv("CROSSPOINT_REAL") == "" {
		t.Skip("takes 20 s of real time: run it with CROSSPOINT_REAL=1, as make test does")
	}
	witness.Need(t, "vgetty")
	t.Parallel()
	const number = "5559871"
	said := make([]int16, 60*8000)
	measure.NewSignal(1, -12).Read(said)
	sim, err := linesim.Start(linesim.Config{Modems: []linesim.ModemConfig{{}},
		Country: "jp", Lines: []linesim.LineConfig{{CallerID: "bellcore"}}})
	if err != nil {
		t.Fatal(err)
	}
	defer sim.Close()
	m := sim.Modems()[0]
	tty, err := filepath.EvalSymlinks(m.Path())
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	vgetty := exec.CommandContext(ctx, "vgetty", strings.TrimPrefix(tty, "/dev/"))
	if err := vgetty.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() {
		cancel()
		_ = vgetty.Wait() // it was killed
	}()
	wait := func(what string, d time.Duration, cond func() bool) {
		t.Helper()
		for end := time.Now().Add(d); !cond(); time.Sleep(50 * time.Millisecond) {
			if time.Now().After(end) {
				t.Fatalf("%s: not within %v; the modem is %+v", what, d, m.Status())
			}
		}
	}
	// It goes through its settings in voice mode, leaves it, and waits.
	wait("vgetty takes the modem up", 30*time.Second, func() bool { return m.Status().Voice })
	for quiet := time.Now(); time.Since(quiet) < 1500*time.Millisecond; time.Sleep(50 * time.Millisecond) {
		if m.Status().Voice {
			quiet = time.Now()
		}
	}
	if err := sim.Town().Ring("fxo1", linesim.Subscriber{Number: number, Plays: said}); err != nil {
		t.Fatal(err)
	}
	wait("vgetty answers", 25*time.Second, func() bool { return m.Line().Status().State == "talking" })
	var files []string
	wait("vgetty records", 10*time.Second, func() bool {
		files, _ = filepath.Glob(filepath.Join(incoming, "v-*-"+number+".rmd"))
		return len(files) == 1
	})
	defer os.Remove(files[0])
	time.Sleep(3 * time.Second)
	m.Line().HangUp()
	wait("vgetty hangs up", 10*time.Second, func() bool { return !m.Status().OffHook })
	b, err := os.ReadFile(files[0])
	if err != nil || len(b) < rmdHeader+2*8000 {
		t.Fatalf("%d octets recorded, %v", len(b), err)
	}
	pcm := make([]int16, len(b)-rmdHeader)
	for i, c := range b[rmdHeader:] { // its default is 8-bit linear, unsigned
		pcm[i] = (int16(c) - 128) << 8
	}
	if r := measure.Compare(said, pcm); !r.Heard() || r.Median < 25 {
		t.Errorf("%+v", r)
	}
}
