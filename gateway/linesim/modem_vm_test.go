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
	"crosspoint/media/g711"
	"crosspoint/media/measure"
)

// These tests let the program vm of mgetty-voice, which knows nothing of us,
// drive the simulated modem over its terminal, so they run in real time.

// vm runs the program against the modem. Compression
// 10 is its name for µ-law; what number stands for it the modem has to tell.
func vm(t *testing.T, m *linesim.Modem, args ...string) {
	t.Helper()
	tty, err := filepath.EvalSymlinks(m.Path())
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 40*time.Second)
	defer cancel()
	all := append([]string{args[0], "-c", "10", "-l", strings.TrimPrefix(tty, "/dev/"), "-t"}, args[1:]...)
	out, err := exec.CommandContext(ctx, "vm", all...).CombinedOutput()
	// vm takes the samples that were on their way as it ended a duplex stream
	// for a wrong answer, and says so by its exit status.
	if err != nil && (args[0] != "duplex" || ctx.Err() != nil) {
		t.Errorf("vm %s: %v\n%s", strings.Join(all, " "), err, out)
	}
}

// rmdHeader is the length of the header of vm's files: "RMD1", the modem's
// name in 16 octets, compression, speed, bits and 7 octets of nothing.
const rmdHeader = 32

// readRMD is what vm has recorded.
func readRMD(t *testing.T, path string) []int16 {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil || len(b) < rmdHeader || string(b[:4]) != "RMD1" {
		t.Fatalf("no recording: %v, %d octets", err, len(b))
	}
	return muLaw(b[rmdHeader:])
}

func muLaw(codes []byte) []int16 {
	pcm := make([]int16, len(codes))
	g711.MuLaw.Decode(pcm, codes)
	return pcm
}

// TestModemDrivenByVM: a call dialled; then calls answered, which record, play,
// and do both at once. What either side hears is what the other said. There is
// a modem for each, so that they need not wait for one another.
func TestModemDrivenByVM(t *testing.T) {
	if os.Getenv("CROSSPOINT_REAL") == "" {
		t.Skip("takes 20 s of real time: run it with CROSSPOINT_REAL=1, as make test does")
	}
	witness.Need(t, "vm")
	t.Parallel()
	dir := t.TempDir()
	said := make([]int16, 60*8000)
	measure.NewSignal(1, -15).Read(said)
	sim, err := linesim.Start(linesim.Config{Modems: make([]linesim.ModemConfig, 3), Subscribers: []linesim.Subscriber{
		{Number: "12", Answer: 200 * time.Millisecond, Plays: said}}})
	if err != nil {
		t.Fatal(err)
	}
	defer sim.Close()
	modems := sim.Modems()

	answered := func(t *testing.T, m *linesim.Modem, number string, args ...string) linesim.CallRecord {
		t.Helper()
		if err := sim.Town().Ring(m.Line().Name(), linesim.Subscriber{Number: number, Plays: said}); err != nil {
			t.Fatal(err)
		}
		vm(t, m, args...)
		rec, ok := sim.Town().LastCall(number)
		if !ok || rec.Answered.IsZero() {
			t.Errorf("%s: the call was not answered: %+v", number, rec)
		}
		until(t, "on-hook", func() bool { return !m.Status().OffHook && m.Line().Status().State == "idle" })
		return rec
	}
	same := func(t *testing.T, what string, sent, heard []int16, lost int) {
		t.Helper()
		r := measure.Compare(sent, heard)
		if !r.Heard() || r.Median < 33 || r.Lost > lost || len(heard) < 2*8000 {
			t.Errorf("%s: %.1f s heard, %+v", what, float64(len(heard))/8000, r)
		}
	}
	recorded := filepath.Join(dir, "recorded.rmd")
	var took []int16

	t.Run("first", func(t *testing.T) {
		t.Run("dials", func(t *testing.T) {
			t.Parallel()
			vm(t, modems[0], "beep", "440", "300")
			vm(t, modems[0], "dial", "12")
			if rec, ok := sim.Town().LastCall("12"); !ok || rec.Answered.IsZero() || rec.Dialed != "12" {
				t.Errorf("dialled: %+v", rec)
			}
		})
		t.Run("records", func(t *testing.T) {
			t.Parallel()
			answered(t, modems[1], "1001", "record", "-L", "4", recorded)
			took = readRMD(t, recorded)
			same(t, "record", said, took, 0)
		})
	})
	t.Run("then", func(t *testing.T) {
		t.Run("plays", func(t *testing.T) {
			t.Parallel()
			rec := answered(t, modems[1], "1002", "play", recorded)
			same(t, "play", took, rec.Heard, 0)
		})
		t.Run("does both", func(t *testing.T) {
			t.Parallel()
			both := filepath.Join(dir, "both.rmd")
			rec := answered(t, modems[2], "1003", "duplex", recorded, both)
			// vm writes an octet for each that it reads, and none ahead: the modem runs
			// out of data now and then, which costs a segment or two.
			same(t, "duplex, what the town hears", took, rec.Heard, 8)
			raw, err := os.ReadFile(both)
			if err != nil {
				t.Fatal(err)
			}
			same(t, "duplex, what the host hears", said, muLaw(raw), 2)
		})
	})
}
